/**
 * Decides from their outcomes when operations of one kind are not worth sending any more. The cache
 * keeps a flag of its own in front: while that is up the engine is asked nothing and told nothing, so
 * that an operation that is not sent costs a comparison. It also does the probing: an engine never
 * lets a user's call find out whether the store is back.
 */
export interface BreakerEngine {
  readonly isOpen: boolean
  /** A batch of reads was answered, or a write. */
  succeeded(): void
  /** It failed; what was begun together counts once. May open the engine, before it returns. */
  failed(error: unknown): void
  /** A probe has found the store well. */
  close(): void
  /** The cache is closing: nothing of the engine may keep the process alive. */
  shutdown(): void
}

/** Makes the engine of one kind of operations. */
export type OpenBreaker = (kind: 'read' | 'write') => BreakerEngine
