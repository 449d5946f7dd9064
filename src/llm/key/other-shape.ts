import { inspectAnthropic, inspectAnthropicTool } from './anthropic-shape.ts'
import { inspectBedrock, inspectBedrockTool } from './bedrock-shape.ts'
import { inspectGemini, inspectGeminiSettings, inspectGeminiTool } from './gemini-shape.ts'
import { inspectOpenAi, inspectOpenAiItem, inspectOpenAiTool } from './openai-shape.ts'
import { isGiven, members, type Note, type Shape } from './request-shape.ts'

// A provider whose requests are not known. Nothing is left out of them, and no two ways of writing are
// taken for one. But most such providers speak the language of a known one: what makes an answer depend
// on more than the request is looked for as with all of those.

type Inspect = NonNullable<Shape['inspect']>

/** A tool is harmless where one of those who could have it says so. */
function inspectTool(tool: Readonly<Record<string, unknown>>, note: Note): void {
  let rules: Inspect[] = [inspectGeminiTool, inspectBedrockTool]
  if (isGiven(tool.type)) rules = [inspectAnthropicTool, inspectOpenAiTool]
  else if (isGiven(tool.name)) return
  if (rules.every((inspect) => objects(inspect, tool))) note('server-tool')
}

function objects(inspect: Inspect, tool: Readonly<Record<string, unknown>>): boolean {
  let noted = false
  inspect(tool, () => {
    noted = true
  })
  return noted
}

function inspectRequest(request: Readonly<Record<string, unknown>>, note: Note): void {
  inspectAnthropic(request, note)
  inspectOpenAi(request, note)
  inspectGemini(request, note)
  inspectBedrock(request, note)
}

const url: Shape = { text: 'url' }
const base64: Shape = { text: 'base64' }

const mask: Shape = { keepsNull: true, members: members({ image_url: url }) }
const tool: Shape = {
  keepsNull: true,
  members: members({ input_image_mask: mask }),
  inspect: inspectTool,
}
const tools: Shape = { keepsNull: true, isToolList: true, items: tool }

const partMembers = members({
  url,
  uri: url,
  file_url: url,
  fileUri: url,
  file_uri: url,
  data: base64,
  bytes: base64,
  tools,
  tool: { keepsNull: true, members: members({ definition: tool }) },
})
const part: Shape = { keepsNull: true, members: partMembers }
const parts: Shape = { ...part, items: part }

/** Members that hold content, or its sources; URLs anywhere else are but words. */
const HOLDERS = [
  'content',
  'parts',
  'output',
  'source',
  's3Location',
  'image',
  'document',
  'video',
  'file',
  'input_audio',
  'inlineData',
  'inline_data',
  'fileData',
  'toolResult',
  'functionResponse',
]
for (const name of HOLDERS) partMembers.set(name, parts)
partMembers.set('image_url', { ...part, text: 'url' })
partMembers.set('file_data', { ...part, text: 'base64' })

const settings: Shape = {
  keepsNull: true,
  members: members({ tools }),
  inspect: inspectGeminiSettings,
}

export const otherRequest: Shape = {
  keepsNull: true,
  members: members({
    messages: parts,
    input: { ...part, items: { ...part, inspect: inspectOpenAiItem } },
    contents: parts,
    system: parts,
    tools,
    config: settings,
    generationConfig: settings,
    toolConfig: settings,
  }),
  inspect: inspectRequest,
}
