import type { Prompt, TierInputs } from './block.ts'
import type { BoundedMap } from './bounded-map.ts'
import type { PrefixWarning } from './plan.ts'

/** How the latest request of a conversation was made. */
export interface ConversationState extends TierInputs {
  readonly model: string
}

export interface ConversationInput {
  readonly prompt: Prompt
  readonly model: string
  readonly owner: string
  readonly thread: string | undefined
}

/** What changed since the last request of the same conversation and makes its prefix useless. */
export function conversationWarnings(
  { prompt, model, owner, thread }: ConversationInput,
  states: BoundedMap<ConversationState>,
): PrefixWarning[] {
  const id = thread ?? beginningOf(prompt)
  if (id === undefined) return []
  const key = `${owner}\n${thread === undefined ? 'begins' : 'thread'}\n${id}`
  const before = states.get(key)
  states.set(key, { ...prompt.inputs, model })
  // Without history or a name, requests that begin alike are not yet one conversation.
  if (!before || (thread === undefined && !prompt.hasHistory)) return []
  const { toolChoice, thinking, hasImages } = prompt.inputs
  const warnings: PrefixWarning[] = []
  if (before.model !== model) {
    warnings.push({
      code: 'MODEL_SWITCH',
      path: '/model',
      fix: 'Each model has a cache of its own: keep the model for the whole conversation.',
    })
  }
  if (before.toolChoice !== toolChoice) {
    warnings.push({
      code: 'TOOL_CHOICE_FLAPPING',
      path: '/tool_choice',
      fix: 'A change of tool_choice loses all messages: keep it, and ask for the tool in the text.',
    })
  }
  if (before.thinking !== thinking) {
    warnings.push({
      code: 'THINKING_FLAPPING',
      path: '/thinking',
      fix: 'A change of thinking or effort loses at least all messages: keep it within a conversation.',
    })
  }
  if (before.hasImages !== hasImages) {
    warnings.push({
      code: 'IMAGES_TOGGLED',
      path: '/messages',
      fix: 'The first image, and the loss of the last one, lose all messages: keep images in the history, or send them in a conversation of their own.',
    })
  }
  return warnings
}

function beginningOf({ blocks }: Prompt): string | undefined {
  return blocks.find(({ tier }) => tier === 'messages')?.content
}
