/** Whose answers these are. There is no default: answers of one tenant must not reach another. */
export type Tenant = string | { readonly shared: true }

/** Options of `llmKey`. */
export interface LlmKeyOptions {
  /**
   * Other names are taken too: their requests are keyed whole, with nothing left out, and are not cached
   * where any of the four would say so.
   */
  provider: 'anthropic' | 'openai' | 'gemini' | 'bedrock' | (string & {})
  /** A tenant, or `{ shared: true }` where all may see each other's answers. */
  tenant: Tenant
  /** Base URL, account or workspace: answers of one are not those of another. @default 'default' */
  endpoint?: string
  namespace?: string
  /** Change it to begin anew. A number is the same as its text. */
  version?: string | number
  /** More members that do not matter, as JSON pointers (RFC 6901), e.g. `/context/trace`. */
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
  /**
   * Requests whose answer depends on state of the provider, or on live data. URLs are a matter of
   * `urlSource`; answers in sound are never kept.
   * @default 'bypass'
   */
  externalState?: 'bypass' | 'include'
  /**
   * Of the HTTP request. Those that change the answer are part of the key: all that begin with
   * `anthropic-`, `openai-` (version, betas, organisation, project, workspace) or `x-amzn-bedrock-`.
   */
  headers?: Readonly<Record<string, string>>
  /** Uniform in [0, 1): chooses among `variants` where there is no seed. @default Math.random */
  random?: () => number
}

/**
 * Why a request is not cached: it names or leaves state at the provider (`store`, `previous-response`,
 * `conversation`, `container`, `background`, a `stored-prompt` of no fixed version), a tool that runs at
 * the provider looks at live data (a tool that is not known is taken for one), contents are behind a URL,
 * or the answer is sound, of which the provider keeps a part.
 */
export type BypassReason =
  | 'store'
  | 'previous-response'
  | 'conversation'
  | 'container'
  | 'background'
  | 'server-tool'
  | 'stored-prompt'
  | 'url-source'
  | 'audio'

/** What `llmKey` gives. */
export interface LlmKey {
  /**
   * `llm:1:<tenant>:<model>:<digest>`: 12 characters of a digest of the tenant, the model (what is no
   * letter, digit or one of `_ . / @ + -` is written `~3a`; at most 64 characters), and 43 characters of
   * the digest of everything. No other part of the request can be read from it.
   */
  readonly key: string
  /** `key` up to the model, with it: what can be invalidated together. */
  readonly group: string
  /** `llm:<provider>:<model>`, for all tenants, and `llm-tenant:<tenant>`, for all models. */
  readonly tags: readonly string[]
  readonly bypass?: BypassReason
}
