import { crypto } from '../../kernel/builtin.ts'
import { realRandom } from '../../kernel/real-clock.ts'
import { anthropicRequest } from './anthropic-shape.ts'
import { bedrockRequest } from './bedrock-shape.ts'
import { canonicalRequest, type Reading } from './canonical-request.ts'
import { checkKeyOptions } from './check-key-options.ts'
import { geminiRequest } from './gemini-shape.ts'
import { ignoredMembers } from './ignored-members.ts'
import { field, namePart, textField } from './key-text.ts'
import type { BypassReason, LlmKey, LlmKeyOptions } from './llm-key-options.ts'
import { openAiRequest } from './openai-shape.ts'
import { otherRequest } from './other-shape.ts'
import { relevantHeaders } from './relevant-headers.ts'
import type { Shape } from './request-shape.ts'
import { tenantField } from './tenant.ts'

/** Of the format: another one finds nothing of what was stored under this one. */
const KEY_VERSION = 1
const MAGIC = 'resilient-cache/llm'

const SHAPES: ReadonlyMap<string, Shape> = new Map([
  ['anthropic', anthropicRequest],
  ['openai', openAiRequest],
  ['gemini', geminiRequest],
  ['bedrock', bedrockRequest],
])

/** A request, read. */
export interface ReadRequest {
  readonly body: string
  readonly model: string
  readonly bypass: BypassReason | undefined
}

/** What the keys of one set of options have in common. */
export class KeyMaker {
  readonly #shape: Shape
  readonly #reading: Omit<Reading, 'note' | 'shape'>
  readonly #includesState: boolean
  readonly #byUrl: boolean
  readonly #digest: (text: string) => string
  /** Magic to version; the variant follows. */
  readonly #head: string
  readonly #headers: string
  readonly #variants: number
  readonly #variant: number | undefined
  readonly #random: () => number
  readonly #tenantHash: string
  readonly #provider: string
  #model: string | undefined
  #group = ''
  #tags: readonly string[] = []

  /** @throws ERR_INVALID_OPTION */
  constructor(options: unknown, where: string) {
    checkKeyOptions(options, where)
    const { provider, endpoint = 'default', namespace = '', version = '', variantSeed } = options
    const tenant = tenantField(options.tenant, where)
    this.#shape = SHAPES.get(provider) ?? otherRequest
    this.#reading = {
      ignored: ignoredMembers(options.ignore),
      sortsTools: options.toolOrder === 'sort',
      marksUrls: typeof options.urlSource === 'function',
    }
    this.#includesState = options.externalState === 'include'
    this.#byUrl = options.urlSource === 'by-url'
    this.#digest = digestWith(options.secret)
    this.#head = [
      textField(MAGIC),
      field(String(KEY_VERSION)),
      textField(provider),
      textField(endpoint),
      tenant,
      textField(namespace),
      textField(String(version)),
    ].join('')
    this.#headers = field(relevantHeaders(options.headers))
    this.#variants = options.variants ?? 1
    this.#variant = variantSeed === undefined ? undefined : variantOf(variantSeed, this.#variants)
    this.#random = options.random ?? realRandom
    this.#tenantHash = this.#digest(textField(`${MAGIC}/tenant`) + tenant).slice(0, 12)
    this.#provider = namePart(provider)
  }

  /** @throws ERR_UNCACHEABLE_KEY */
  read(request: unknown): ReadRequest {
    let bypass: BypassReason | undefined
    const note = (reason: BypassReason): void => {
      if (bypass === undefined && this.#counts(reason)) bypass = reason
    }
    const body = canonicalRequest(request, { ...this.#reading, shape: this.#shape, note })
    return { body, model: modelOf(request as Record<string, unknown>), bypass }
  }

  /** @param extra the key of what else was passed beside the request */
  keyOf(body: string, extra: string, { model, bypass }: Omit<ReadRequest, 'body'>): LlmKey {
    if (model !== this.#model) this.#remember(model)
    const variant = this.#variant ?? Math.floor(this.#random() * this.#variants)
    const key = this.#keyOfVariant(variant, body, extra)
    const group = this.#group
    const tags = this.#tags
    return bypass === undefined ? { key, group, tags } : { key, group, tags, bypass }
  }

  /** All that `keyOf` may give: one for each variant among which it chooses. */
  keysOf({ body, model }: ReadRequest, extra: string): string[] {
    if (model !== this.#model) this.#remember(model)
    const first = this.#variant ?? 0
    const last = this.#variant ?? this.#variants - 1
    const keys: string[] = []
    for (let variant = first; variant <= last; variant++) {
      keys.push(this.#keyOfVariant(variant, body, extra))
    }
    return keys
  }

  /** For the model that was remembered last. */
  #keyOfVariant(variant: number, body: string, extra: string): string {
    const stream =
      this.#head + field(String(variant)) + this.#headers + textField(extra) + field(body)
    return `${this.#group}:${this.#digest(stream)}`
  }

  #counts(reason: BypassReason): boolean {
    if (reason === 'url-source') return !this.#byUrl
    // Not a matter of state: what is given back is a file that will be gone.
    return reason === 'audio' || !this.#includesState
  }

  #remember(model: string): void {
    const name = namePart(model)
    this.#model = model
    this.#group = `llm:${KEY_VERSION}:${this.#tenantHash}:${name}`
    this.#tags = Object.freeze([`llm:${this.#provider}:${name}`, `llm-tenant:${this.#tenantHash}`])
  }
}

function modelOf({ model, modelId }: Record<string, unknown>): string {
  const name = model ?? modelId
  return typeof name === 'string' ? name : ''
}

function variantOf(seed: string | number, variants: number): number {
  const digest = crypto().hash('sha256', textField(String(seed)), 'buffer')
  return digest.readUIntBE(0, 6) % variants
}

function digestWith(secret: LlmKeyOptions['secret']): (text: string) => string {
  const { hash, createHmac, createSecretKey } = crypto()
  if (secret === undefined) return (text) => hash('sha256', text, 'base64url')
  const bytes = typeof secret === 'string' ? Buffer.from(secret) : secret
  const key = createSecretKey(bytes)
  return (text) => createHmac('sha256', key).update(text).digest('base64url')
}
