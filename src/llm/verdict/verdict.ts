/** Whether an answer may be given to others. */
export type CacheVerdict =
  | { readonly action: 'store'; readonly ttlMs?: number }
  | { readonly action: 'skip'; readonly reason: string }
