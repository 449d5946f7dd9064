import { DATA, isGiven, members, type Note, SENDING, type Shape } from './request-shape.ts'

// Converse, as of @aws-sdk/client-bedrock-runtime 3.1163. Its markers are blocks of their own.

const MARKER = 'cachePoint'

/** The name of a prompt that is kept by the provider, without a version, so that it may change. */
const STORED_PROMPT = /:prompt\/[^:]+$/

export function inspectBedrockTool(tool: Readonly<Record<string, unknown>>, note: Note): void {
  if (!isGiven(tool.toolSpec) && !isGiven(tool[MARKER])) note('server-tool')
}

export function inspectBedrock(request: Readonly<Record<string, unknown>>, note: Note): void {
  if (typeof request.modelId === 'string' && STORED_PROMPT.test(request.modelId)) {
    note('stored-prompt')
  }
}

const media: Shape = {
  members: members({
    source: {
      members: members({
        bytes: { text: 'base64' },
        s3Location: { members: members({ uri: { text: 'url' } }) },
      }),
    },
  }),
}

const blockMembers = members({
  image: media,
  document: media,
  video: media,
  audio: media,
  toolUse: { members: members({ input: DATA }) },
})
const block: Shape = { members: blockMembers }
blockMembers.set('toolResult', { members: members({ content: { items: block } }) })

const blocks: Shape = { items: block, marker: MARKER }

export const bedrockRequest: Shape = {
  members: members(
    {
      system: blocks,
      messages: { items: { members: members({ content: blocks }) } },
      toolConfig: {
        members: members({
          tools: {
            items: { inspect: inspectBedrockTool },
            marker: MARKER,
            isToolList: true,
          },
        }),
      },
    },
    ['requestMetadata', 'serviceTier', ...SENDING],
  ),
  inspect: inspectBedrock,
}
