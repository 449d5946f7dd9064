import { kindOf } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'
import { URL_MARK } from './canonical-request.ts'
import { KeyMaker, type ReadRequest } from './key-maker.ts'
import type { LlmKey, LlmKeyOptions } from './llm-key-options.ts'

type UrlResolver = Exclude<LlmKeyOptions['urlSource'], string | undefined>

/**
 * The key under which the answer to a request to an LLM may be kept: equal requests share it, and any
 * two whose answers may differ never do, nor do two tenants.
 *
 * Every member of the request counts, unless it is known not to change the answer: `stream`, `metadata`,
 * `user`, `service_tier`, the markers of the provider's prompt cache and the like. A member that this
 * version does not know costs a miss and never gives a wrong answer. Members may come in any order, null
 * members of the provider's own objects are absent ones, and text as content is one text block. Inside
 * JSON schemas and inputs of tools nothing is left out. Bytes, also those written in base64, go by their
 * digest.
 *
 * Where `bypass` is set, the answer depends on more than the request and is not to be kept; why, it says.
 * The key is the digest (SHA-256, or HMAC with `secret`) of all this and of the options: nothing of the
 * request but the model can be read from it.
 *
 * A promise is returned only where `urlSource` is a function and the request has a URL.
 * @see https://www.rfc-editor.org/rfc/rfc8785 for the text that is hashed
 * @throws ERR_INVALID_OPTION
 * @throws ERR_UNCACHEABLE_KEY for what JSON cannot say: NaN, BigInt, functions, cycles, class instances
 */
export function llmKey(
  request: unknown,
  options: LlmKeyOptions & { urlSource?: 'bypass' | 'by-url' },
): LlmKey
export function llmKey(request: unknown, options: LlmKeyOptions): LlmKey | Promise<LlmKey>
export function llmKey(request: unknown, options: LlmKeyOptions): LlmKey | Promise<LlmKey> {
  const maker = new KeyMaker(options, 'llmKey()')
  const { urlSource } = options
  const read = maker.read(request)
  if (typeof urlSource !== 'function') return maker.keyOf(read.body, '', read)
  // Text, mark, URL, mark, text …
  const parts = read.body.split(URL_MARK)
  return parts.length === 1
    ? maker.keyOf(read.body, '', read)
    : keyOfContents(maker, read, parts, urlSource)
}

async function keyOfContents(
  maker: KeyMaker,
  read: ReadRequest,
  parts: readonly string[],
  digestOf: UrlResolver,
): Promise<LlmKey> {
  const digests = new Map<string, Promise<string>>()
  const texts = parts.map((part, index) => {
    if (index % 2 === 0) return part
    let digest = digests.get(part)
    if (digest === undefined) {
      digest = contentsText(JSON.parse(part), digestOf)
      digests.set(part, digest)
    }
    return digest
  })
  return maker.keyOf((await Promise.all(texts)).join(''), '', read)
}

/** No JSON begins with `@`. */
async function contentsText(url: string, digestOf: UrlResolver): Promise<string> {
  const digest: unknown = await digestOf(url)
  if (typeof digest === 'string' && digest !== '') return `@${JSON.stringify(digest)}`
  throw invalidOption(
    `urlSource must give the digest of what the URL leads to, as text; got ${digest === '' ? 'empty text' : kindOf(digest)}`,
  )
}
