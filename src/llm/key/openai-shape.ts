import { isGiven, members, type Note, SENDING, SETTINGS, type Shape } from './request-shape.ts'

// Chat Completions and Responses, as of openai 7.57.0. The former has `messages`, the latter `input`.

/** As with Anthropic's: a tool that is not known yet is taken for live. */
const HARMLESS: ReadonlySet<unknown> = new Set([
  'function',
  'custom',
  'namespace',
  'computer',
  'computer_use_preview',
  'local_shell',
  'apply_patch',
  'tool_search',
  'image_generation',
])

/** Models that search the web without being told to. */
const SEARCHING = /-search-(preview|api)(-|$)/

const MARKER = ['prompt_cache_breakpoint']

export function inspectOpenAiTool(tool: Readonly<Record<string, unknown>>, note: Note): void {
  const { type, environment } = tool
  const isLocalShell =
    type === 'shell' && (environment as { type?: unknown } | null | undefined)?.type === 'local'
  if (!isLocalShell && !HARMLESS.has(type)) note('server-tool')
}

export function inspectOpenAi(request: Readonly<Record<string, unknown>>, note: Note): void {
  const { prompt, modalities, model } = request
  if (request.store === true) note('store')
  if (isGiven(request.previous_response_id)) note('previous-response')
  if (isGiven(request.conversation)) note('conversation')
  if (request.background === true) note('background')
  if (isGiven(request.web_search_options)) note('server-tool')
  if (typeof model === 'string' && SEARCHING.test(model)) note('server-tool')
  if (typeof prompt === 'object' && prompt !== null && !isGiven(Reflect.get(prompt, 'version'))) {
    note('stored-prompt')
  }
  inspectVariables(prompt, note)
  // An answer in sound names a file that the provider forgets after an hour.
  const speaks = Array.isArray(modalities) && modalities.includes('audio')
  if (speaks || isGiven(request.audio)) note('audio')
}

/** What is put into a stored prompt may be an image or a file behind a URL, by any name. */
function inspectVariables(prompt: unknown, note: Note): void {
  if (typeof prompt !== 'object' || prompt === null) return
  const variables: unknown = Reflect.get(prompt, 'variables')
  if (typeof variables !== 'object' || variables === null) return
  for (const value of Object.values(variables) as unknown[]) {
    if (typeof value !== 'object' || value === null) continue
    const { image_url, file_url } = value as { image_url?: unknown; file_url?: unknown }
    const urls = [image_url, file_url].filter(isGiven)
    if (urls.some((link) => !String(link).startsWith('data:'))) note('url-source')
  }
}

/** A reference to an item that only the provider has, which may have no type. */
export function inspectOpenAiItem(item: Readonly<Record<string, unknown>>, note: Note): void {
  const isReference = isGiven(item.type) ? item.type === 'item_reference' : !isGiven(item.role)
  if (isReference) note('previous-response')
}

const url: Shape = { text: 'url' }
const base64: Shape = { text: 'base64' }

const part: Shape = {
  members: members(
    {
      // Responses has the URL here, Chat an object with it.
      image_url: { text: 'url', members: members({ url }) },
      file_url: url,
      file_data: base64,
      file: { members: members({ file_data: base64 }) },
      input_audio: { members: members({ data: base64 }) },
    },
    MARKER,
  ),
}

const tool: Shape = {
  members: members({
    function: SETTINGS,
    input_image_mask: { members: members({ image_url: url }) },
  }),
  inspect: inspectOpenAiTool,
}
const tools: Shape = { items: tool, isToolList: true }

const item: Shape = {
  members: members({
    content: { items: part },
    output: { items: part, members: members({ image_url: url }) },
    tools,
  }),
  inspect: inspectOpenAiItem,
}

export const openAiRequest: Shape = {
  members: members(
    {
      messages: { items: { members: members({ content: { items: part, isTextBlock: true } }) } },
      input: { items: item },
      tools,
      tool_choice: SETTINGS,
      reasoning: SETTINGS,
      text: { members: members({ format: SETTINGS }) },
      response_format: { members: members({ json_schema: SETTINGS }) },
    },
    [
      'stream',
      'stream_options',
      'metadata',
      'user',
      'safety_identifier',
      'service_tier',
      'prompt_cache_key',
      'prompt_cache_options',
      'prompt_cache_retention',
      ...SENDING,
    ],
  ),
  inspect: inspectOpenAi,
}
