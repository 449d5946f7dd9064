import { plainCopy } from './plain-copy.ts'
import type { StreamTail } from './stream-tail.ts'

type Members = Record<string, unknown>

/** Adds the chunks of a stream of Chat Completions up to the completion. */
export function accumulateChat(): StreamTail {
  let completion: Members | undefined
  const choices: Members[] = []
  const isOver = (): boolean => choices.length > 0 && choices.every((one) => one.finish_reason)

  return {
    add(item) {
      const { choices: parts, object: _object, ...rest } = plainCopy((item ?? {}) as Members)
      // Later chunks say null of what only one of them knows.
      for (const [name, value] of Object.entries(rest)) {
        completion ??= { object: 'chat.completion' }
        if (value !== null || completion[name] === undefined) completion[name] = value
      }
      for (const part of (parts ?? []) as Members[]) addChoice(choices, part)
    },
    get complete() {
      return isOver()
    },
    // A chunk with the usage may follow.
    finished: false,
    final: () => completion && { ...completion, choices: choices.filter(Boolean) },
  }
}

function addChoice(choices: Members[], part: Members): void {
  const { index, delta, finish_reason, logprobs, ...rest } = part
  const at = index as number
  const choice = choices[at] ?? { index: at, message: {}, finish_reason: null, logprobs: null }
  choices[at] = choice
  Object.assign(choice, rest)
  if (finish_reason) choice.finish_reason = finish_reason
  if (logprobs) choice.logprobs = joined(choice.logprobs as Members | null, logprobs as Members)
  if (delta) addMessage(choice.message as Members, delta as Members)
}

function joined(before: Members | null, more: Members): Members {
  const all: Members = { ...before }
  for (const [name, value] of Object.entries(more)) {
    all[name] = Array.isArray(value) ? [...((all[name] as unknown[]) ?? []), ...value] : value
  }
  return all
}

function addMessage(message: Members, { tool_calls, ...delta }: Members): void {
  addTexts(message, delta, ['content', 'refusal'])
  for (const part of (tool_calls ?? []) as Members[]) {
    const { index, ...call } = part
    const calls = (message.tool_calls ?? []) as Members[]
    message.tool_calls = calls
    const known = calls[index as number] ?? {}
    calls[index as number] = known
    addTexts(known, call, [])
  }
}

/** Texts that come in pieces are joined, everything else is what was said last. */
const PIECES: readonly string[] = ['arguments', 'input', 'data', 'transcript']

function addTexts(target: Members, more: Members, pieces: readonly string[]): void {
  for (const [name, value] of Object.entries(more)) {
    if (value === undefined || (value === null && target[name] !== undefined)) continue
    if (pieces.includes(name) && typeof value === 'string') {
      target[name] = `${target[name] ?? ''}${value}`
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const inner = { ...(target[name] as Members | undefined) }
      addTexts(inner, value as Members, PIECES)
      target[name] = inner
    } else target[name] = value
  }
}

const ENDS: ReadonlySet<unknown> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
])

/** The Responses API sends the whole response with its last event. */
export function accumulateResponses(): StreamTail {
  let response: unknown
  let ended = false
  return {
    add(item) {
      const event = (item ?? {}) as Members
      if (event.response !== undefined) response = plainCopy(event.response)
      if (ENDS.has(event.type)) ended = true
    },
    get complete() {
      return ended
    },
    get finished() {
      return ended
    },
    final: () => response,
  }
}
