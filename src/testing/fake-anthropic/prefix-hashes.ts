import { hash } from 'node:crypto'
import type { ModelProfile } from '../../llm/models/model-profile.ts'
import { asArray, asObject, type Json } from '../loopback/json-values.ts'
import type { MessagesRequest } from './messages-request.ts'
import type { PromptBlock, Tier } from './prompt-blocks.ts'

/**
 * For each block the hash of the prompt up to its end. What is no block but changes the prompt all the
 * same goes in where its tier begins, so that it costs what the provider says it costs: the model all,
 * speed and citations what follows the tools, the rest the messages. (Web search is a tool among the tools.)
 */
export function prefixHashes(
  request: MessagesRequest,
  blocks: readonly PromptBlock[],
  thinkingTier: ModelProfile['thinkingTier'],
): readonly string[] {
  const thought = thinkingSettings(request)
  const isEarly = thinkingTier === 'all'
  const seeds: Readonly<Record<Tier, readonly unknown[]>> = {
    tools: isEarly ? [request.model, thought] : [request.model],
    system: systemSettings(request),
    messages: isEarly ? messageSettings(request) : [...messageSettings(request), thought],
  }
  let prefix = ''
  let tier: Tier | undefined
  return blocks.map((block) => {
    for (const next of tiersFrom(tier, block.tier))
      prefix = chain(prefix, JSON.stringify(seeds[next]))
    tier = block.tier
    prefix = chain(prefix, block.identity)
    return prefix
  })
}

const TIERS: readonly Tier[] = ['tools', 'system', 'messages']

/** The tiers that begin between a block of `last` and one of `next`; those without blocks too. */
function tiersFrom(last: Tier | undefined, next: Tier): readonly Tier[] {
  return TIERS.slice(last === undefined ? 0 : TIERS.indexOf(last) + 1, TIERS.indexOf(next) + 1)
}

/** Hashes have one length, so no two pairs are joined to the same text. */
export function chain(prefix: string, step: string): string {
  return hash('sha256', `${prefix}\n${step}`, 'base64url')
}

/** Settings other than the prompt that a diagnosis calls `unavailable`. */
export function otherSettings(request: MessagesRequest): string {
  return JSON.stringify([messageSettings(request), thinkingSettings(request)])
}

function systemSettings(request: MessagesRequest): readonly unknown[] {
  const cites = messageContent(request).some((block) => asObject(block.citations).enabled === true)
  return [request.speed ?? null, cites]
}

function messageSettings(request: MessagesRequest): readonly unknown[] {
  const { format } = asObject(request.output_config)
  const hasImages = messageContent(request).some((block) => block.type === 'image')
  return [request.tool_choice ?? null, format ?? null, hasImages]
}

/** To say the default is as good as to say nothing. */
function thinkingSettings(request: MessagesRequest): readonly unknown[] {
  const { effort } = asObject(request.output_config)
  const isOff = (asObject(request.thinking).type ?? 'disabled') === 'disabled'
  return [isOff ? null : request.thinking, effort ?? 'high']
}

/** The blocks of the messages, and those within results of tools. */
function messageContent(request: MessagesRequest): readonly Json[] {
  return request.messages
    .flatMap((message) => asArray(asObject(message).content))
    .map(asObject)
    .flatMap((block) =>
      block.type === 'tool_result' ? [block, ...asArray(block.content).map(asObject)] : [block],
    )
}
