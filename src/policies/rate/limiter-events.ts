import type { RejectReason } from './limiter-errors.ts'

/** What a limiter tells of itself. */
export interface RateLimiterEvents {
  /** A call that had to wait goes. */
  acquire: { readonly name: string; readonly waitedMs: number }
  reject: { readonly name: string; readonly reason: RejectReason; readonly retryAfterMs: number }
  /** Nobody goes for a while: the provider said so, here or to another process. */
  pause: { readonly name: string; readonly forMs: number; readonly source: 'headers' | 'shared' }
  /** Whether the limit is shared through Redis, or this process is on its own. */
  redis: { readonly name: string; readonly state: 'shared' | 'alone'; readonly cause?: string }
}
