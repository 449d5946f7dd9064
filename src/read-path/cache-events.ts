import type { LlmCallReport } from '../contracts/llm-layer.ts'
import type { RemoteHealth } from '../l2/store-status.ts'

/** Which function of which cache an event is about. Keys are for your code: do not log them. */
interface At {
  readonly cache: string
  readonly function: string
}

/** Events of a cache and what they carry. */
export interface CacheEvents {
  /** A fresh value was served. While somebody listens, L1 hits leave the fast path. */
  hit: At & { readonly level: 'l1' | 'l2'; readonly key: string }
  /** No level had a fresh value: a caller waits for the load that begins, or `get` gave `undefined`. */
  miss: At & { readonly key: string }
  /** A stale value was served. */
  stale: At & {
    readonly reason: 'revalidate' | 'timeout' | 'error' | 'capped'
    readonly key: string
  }
  /** The origin was called and has ended. */
  origin: At & {
    readonly durationMs: number
    readonly result: 'ok' | 'error' | 'timeout' | 'aborted'
  }
  /** A provider has answered a function with the option `llm`. */
  llm: At & LlmCallReport
  /** Something failed that did not fail a read: L2, a refresh, a value that cannot be stored. */
  error: { readonly cache: string; readonly kind: string; readonly error: unknown }
  /** L1 was full. */
  evict: At & { readonly key: string }
  /** Something was invalidated here. */
  invalidate: {
    readonly cache: string
    readonly kind: 'key' | 'tags' | 'clear'
    readonly mode: 'hard' | 'soft'
  }
  'l2-state': { readonly cache: string } & RemoteHealth
  /** Messages of other processes were missed. */
  gap: { readonly cache: string }
  /** L2 became unusable (`true`) or usable again (`false`). */
  degraded: { readonly cache: string; readonly degraded: boolean }
}

export const EVENT_NAMES: ReadonlyArray<keyof CacheEvents> = [
  'hit',
  'miss',
  'stale',
  'origin',
  'llm',
  'error',
  'evict',
  'invalidate',
  'l2-state',
  'gap',
  'degraded',
]
