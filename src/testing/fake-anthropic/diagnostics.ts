import { asObject } from '../loopback/json-values.ts'
import type { MessagesRequest } from './messages-request.ts'
import { chain, otherSettings } from './prefix-hashes.ts'
import { promptBlocks, type Tier } from './prompt-blocks.ts'
import type { PromptCacheCall } from './prompt-cache.ts'

/** Requests that a later one can be compared with; the oldest go first. */
const MOST_REMEMBERED = 1000

/** Why the prefix of an earlier request could not be read, as the Messages API tells it. */
export type CacheMissReason =
  | {
      readonly type: 'model_changed' | 'tools_changed' | 'system_changed' | 'messages_changed'
      readonly cache_missed_input_tokens: number
    }
  | { readonly type: 'previous_message_not_found' | 'unavailable' }

export type Diagnostics = { readonly cache_miss_reason: CacheMissReason } | null

/** What is kept of a request to compare later ones with. */
interface Fingerprint {
  readonly model: string
  readonly tools: string
  readonly system: string
  readonly settings: string
  /** After each block of the messages. */
  readonly messages: readonly string[]
  readonly cacheable: number
}

/** Compares requests with those before them. */
export interface DiagnosticsLog {
  diagnose(request: MessagesRequest, workspace: string, call: PromptCacheCall): Diagnostics
  /** @param id of the answer */
  remember(request: MessagesRequest, workspace: string, call: PromptCacheCall, id: string): void
}

export function diagnosticsLog(): DiagnosticsLog {
  const remembered = new Map<string, Fingerprint>()
  return {
    diagnose(request, workspace, call) {
      const { previous_message_id: id } = asObject(request.diagnostics)
      if (typeof id !== 'string') return null
      const before = remembered.get(`${workspace}\n${id}`)
      if (before === undefined) return { cache_miss_reason: { type: 'previous_message_not_found' } }
      const type = differenceOf(before, fingerprintOf(request, call))
      if (type === undefined) return null
      if (type === 'unavailable') return { cache_miss_reason: { type } }
      const missed = Math.max(0, before.cacheable - call.bill.read)
      return { cache_miss_reason: { type, cache_missed_input_tokens: missed } }
    },
    remember(request, workspace, call, id) {
      // Only who asks for diagnoses is compared: everybody else need not pay for the hashes.
      if (request.diagnostics === undefined || request.diagnostics === null) return
      remembered.set(`${workspace}\n${id}`, fingerprintOf(request, call))
      if (remembered.size <= MOST_REMEMBERED) return
      remembered.delete(remembered.keys().next().value as string)
    },
  }
}

function fingerprintOf(request: MessagesRequest, { cacheable }: PromptCacheCall): Fingerprint {
  const blocks = promptBlocks(request)
  const hashesOf = (tier: Tier): string[] => {
    let hash = ''
    return blocks
      .filter((block) => block.tier === tier)
      .map((block) => {
        hash = chain(hash, block.identity)
        return hash
      })
  }
  return {
    model: JSON.stringify([request.model, request.speed ?? null]),
    tools: hashesOf('tools').at(-1) ?? '',
    system: hashesOf('system').at(-1) ?? '',
    settings: otherSettings(request),
    messages: hashesOf('messages'),
    cacheable,
  }
}

/** The first difference, in the order of the prompt. */
function differenceOf(
  before: Fingerprint,
  now: Fingerprint,
): Exclude<CacheMissReason['type'], 'previous_message_not_found'> | undefined {
  if (before.model !== now.model) return 'model_changed'
  if (before.tools !== now.tools) return 'tools_changed'
  if (before.system !== now.system) return 'system_changed'
  if (before.settings !== now.settings) return 'unavailable'
  const length = before.messages.length
  const isExtended = length === 0 || before.messages[length - 1] === now.messages[length - 1]
  return isExtended ? undefined : 'messages_changed'
}
