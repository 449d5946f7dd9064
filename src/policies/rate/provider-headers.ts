/** Headers of a response: of fetch, of Node, or a plain object. */
export type HeadersLike =
  | { get(name: string): string | null | undefined }
  | Readonly<Record<string, string | readonly string[] | number | undefined>>

/** What a response says about the limits of who sent it. */
export interface ProviderNews {
  /** Not before that, in milliseconds from now. */
  readonly pauseMs: number
  /** What is left, by the index of the dimension. */
  readonly remaining: readonly (readonly [dimension: number, amount: number])[]
}

/** Statuses with which a Retry-After speaks of load: too many requests, unavailable, overloaded. */
const OVERLOADED = [429, 503, 529]
/** Dimensions that providers call by another name than programs do. */
const PROVIDER_WORDS: Readonly<Record<string, string>> = {
  input: 'input-tokens',
  inputTokens: 'input-tokens',
  output: 'output-tokens',
  outputTokens: 'output-tokens',
}
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const STEP = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g
const STEPS = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/
/** Numbers above it are seconds since 1970, not seconds from now; */
const EPOCH_S = 1e9
/** and above it milliseconds since then. */
const EPOCH_MS = 1e11
/** What a header may be called: Headers of fetch throw for anything else. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/

/**
 * Reads `retry-after`, `retry-after-ms` and the rate limit headers of Anthropic
 * (`anthropic-ratelimit-<dimension>-remaining`), of OpenAI (`x-ratelimit-remaining-<dimension>`), and
 * those without a dimension (`x-ratelimit-remaining`, `ratelimit-remaining`), which mean the primary one.
 */
export function readProviderHeaders(
  status: number | undefined,
  headers: HeadersLike,
  rates: readonly string[],
  primary: number,
  wall: number,
): ProviderNews {
  const header = reader(headers)
  const remaining = namedRemaining(header, rates)
  let pauseMs = status === undefined || OVERLOADED.includes(status) ? retryAfter(header, wall) : 0
  const left = amountOf(header('x-ratelimit-remaining') ?? header('ratelimit-remaining'))
  if (left !== undefined && rates.length > 0) {
    remaining.push([primary, left])
    // Without a dimension it is a window that begins anew: nothing flows until then.
    const reset = header('x-ratelimit-reset') ?? header('ratelimit-reset')
    if (left === 0) pauseMs = Math.max(pauseMs, untilMs(reset, wall))
  }
  return { pauseMs, remaining }
}

function namedRemaining(
  header: (name: string) => string | undefined,
  rates: readonly string[],
): [number, number][] {
  const remaining: [number, number][] = []
  for (const [at, name] of rates.entries()) {
    const word = Object.hasOwn(PROVIDER_WORDS, name) ? PROVIDER_WORDS[name] : name.toLowerCase()
    if (word === undefined || !HEADER_NAME.test(word)) continue
    const left =
      header(`anthropic-ratelimit-${word}-remaining`) ?? header(`x-ratelimit-remaining-${word}`)
    const amount = amountOf(left)
    if (amount !== undefined) remaining.push([at, amount])
  }
  return remaining
}

function retryAfter(header: (name: string) => string | undefined, wall: number): number {
  const exact = amountOf(header('retry-after-ms'))
  return exact ?? untilMs(header('retry-after'), wall)
}

/** `20`, `1m30s`, an instant in seconds since 1970, or a date; 0 for what is none of them. */
function untilMs(text: string | undefined, wall: number): number {
  if (text === undefined || text === '') return 0
  const number = Number(text)
  if (Number.isFinite(number)) {
    if (number > EPOCH_MS) return Math.max(0, number - wall)
    return Math.max(0, number > EPOCH_S ? number * 1000 - wall : number * 1000)
  }
  if (STEPS.test(text)) {
    let ms = 0
    for (const [, amount, unit] of text.matchAll(STEP)) {
      ms += Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS]
    }
    return ms
  }
  const date = Date.parse(text)
  return Number.isNaN(date) ? 0 : Math.max(0, date - wall)
}

function amountOf(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined
  const number = Number(text)
  return number >= 0 && number < Number.POSITIVE_INFINITY ? number : undefined
}

function reader(headers: HeadersLike): (name: string) => string | undefined {
  const { get } = headers as { get?: unknown }
  if (typeof get === 'function') {
    return (name) => textOf((headers as { get(name: string): unknown }).get(name))
  }
  const byName = new Map<string, string | undefined>()
  for (const [name, value] of Object.entries(headers)) byName.set(name.toLowerCase(), textOf(value))
  return (name) => byName.get(name)
}

/** Clients that keep headers as they like have numbers and lists in them. */
function textOf(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value
  return first === undefined || first === null ? undefined : String(first)
}
