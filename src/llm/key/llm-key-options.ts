/** Whose answers these are. There is no default: answers of one tenant must not reach another. */
export type Tenant = string | { readonly shared: true }

/** Options of `llmKey`. */
export interface LlmKeyOptions {
  /** Other names are taken too: their requests are keyed whole, with nothing left out. */
  provider: 'anthropic' | 'openai' | 'gemini' | 'bedrock' | (string & {})
  /** A tenant, or `{ shared: true }` where all may see each other's answers. */
  tenant: Tenant
  /** Base URL, account or workspace: answers of one are not those of another. @default 'default' */
  endpoint?: string
  namespace?: string
  /** Change it to begin anew. */
  version?: string | number
  /** More members that do not matter, as JSON pointers (RFC 6901), e.g. `/metadata/trace`. */
  ignore?: readonly string[]
  /** `'sort'`: the same tools in another order are the same request. @default 'preserve' */
  toolOrder?: 'preserve' | 'sort'
  /** Keeps so many answers to the same request; one is chosen by `variantSeed`. @default 1 */
  variants?: number
  /** Chooses among `variants`: the same seed gives the same one. */
  variantSeed?: string | number
  /** Makes the digest an HMAC, so that who sees keys cannot try requests. */
  secret?: string | Uint8Array
  /**
   * What is fetched by its URL may change: `'bypass'` does not cache such a request, `'by-url'` takes
   * the URL for its contents, a function gives a digest of the contents.
   * @default 'bypass'
   */
  urlSource?: 'bypass' | 'by-url' | ((url: string) => string | PromiseLike<string>)
  /** Requests whose answer depends on state of the provider, or on live data. @default 'bypass' */
  externalState?: 'bypass' | 'include'
  /** Of the HTTP request: those that change the answer (API version, betas) are part of the key. */
  headers?: Readonly<Record<string, string>>
}

/** Why a request is not cached. */
export type BypassReason =
  | 'store'
  | 'previous-response'
  | 'conversation'
  | 'container'
  | 'background'
  | 'server-tool'
  | 'url-source'
  | 'audio'

/** What `llmKey` gives. */
export interface LlmKey {
  /** `llm:1:<tenant>:<model>:<digest>`; no part of the request can be read from it. */
  readonly key: string
  /** `key` up to the model: what can be invalidated together. */
  readonly group: string
  readonly tags: readonly string[]
  readonly bypass?: BypassReason
}
