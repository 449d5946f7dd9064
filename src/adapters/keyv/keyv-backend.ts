/** The part of Keyv, or of a storage adapter of it, that is needed. A `Map` fits too. */
export interface KeyvLike {
  get(key: string): unknown
  set(key: string, value: string, ttlOrExpires?: number): unknown
  delete(key: string): unknown
  getMany?(keys: string[]): unknown
  /** Keyv itself has it, and unlike `get` of Keyv 5 it does not swallow errors. */
  getRaw?(key: string): unknown
  on?(event: string, listener: (error: unknown) => void): unknown
  off?(event: string, listener: (error: unknown) => void): unknown
  /** Of a storage adapter made for Keyv 6: `set` takes an instant, not a length of time. */
  readonly capabilities?: { readonly expires?: boolean } | undefined
  readonly store?: unknown
}
