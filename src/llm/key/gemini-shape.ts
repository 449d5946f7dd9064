import { isGiven, members, type Note, SENDING, type Shape } from './request-shape.ts'

// generateContent, as REST and as @google/genai write it, and the Interactions API (`input`).

const DECLARED = new Set(['functionDeclarations', 'function_declarations'])
const HARMLESS = new Set([...DECLARED, 'computerUse', 'computer_use'])

/** Files API: what was uploaded never changes. */
const FILES = /^(https:\/\/generativelanguage\.googleapis\.com\/[^/]+\/)?files\//

/** A tool names itself by its members, or, in the Interactions API, by its type. */
export function inspectGeminiTool(tool: Readonly<Record<string, unknown>>, note: Note): void {
  const isHarmless = isGiven(tool.type)
    ? tool.type === 'function' || tool.type === 'computer_use'
    : Object.keys(tool).every((name) => HARMLESS.has(name) || !isGiven(tool[name]))
  if (!isHarmless) note('server-tool')
}

export function inspectGemini(request: Readonly<Record<string, unknown>>, note: Note): void {
  if (request.store === true) note('store')
  if (isGiven(request.previous_interaction_id)) note('previous-response')
  if (request.background === true) note('background')
  // An agent looks things up by itself.
  if (isGiven(request.agent)) note('server-tool')
  inspectGeminiSettings(request, note)
}

export function inspectGeminiSettings(
  settings: Readonly<Record<string, unknown>>,
  note: Note,
): void {
  const modalities = settings.responseModalities ?? settings.response_modalities
  const speaks =
    Array.isArray(modalities) && modalities.some((name) => String(name).toLowerCase() === 'audio')
  if (speaks || isGiven(settings.speechConfig)) note('audio')
}

const blob: Shape = { members: members({ data: { text: 'base64' } }) }
const file: Shape = { text: 'url', fileUrls: FILES }
const fileData: Shape = { members: members({ fileUri: file, file_uri: file }) }

/** The SDK takes a content, a part, and a list of either. */
const contentMembers = members({
  inlineData: blob,
  inline_data: blob,
  fileData,
  file_data: fileData,
  data: { text: 'base64' },
  uri: file,
})
const content: Shape = { members: contentMembers }
const contents: Shape = { members: contentMembers, items: content }
for (const name of ['parts', 'content', 'functionResponse', 'function_response']) {
  contentMembers.set(name, contents)
}

const tools: Shape = {
  isToolList: true,
  items: {
    members: members(Object.fromEntries([...DECLARED].map((name) => [name, { isToolList: true }]))),
    inspect: inspectGeminiTool,
  },
}

const settings: Shape = { inspect: inspectGeminiSettings }

export const geminiRequest: Shape = {
  members: members(
    {
      contents,
      input: contents,
      systemInstruction: contents,
      system_instruction: contents,
      tools,
      generationConfig: settings,
      generation_config: settings,
      config: {
        members: members({ systemInstruction: contents, tools }, ['labels', ...SENDING]),
        inspect: inspectGeminiSettings,
      },
    },
    ['stream', 'labels', 'serviceTier', 'service_tier', ...SENDING],
  ),
  inspect: inspectGemini,
}
