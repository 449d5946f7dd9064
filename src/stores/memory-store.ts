import type { Store } from '../contracts/store.ts'
import { checkCount, checkOptionNames } from '../kernel/options.ts'
import { MemoryChannel } from './memory-channel.ts'
import { MemorySession } from './memory-session.ts'

export interface MemoryStoreOptions {
  /** Entries kept for each cache name; more push out those written longest ago. @default 100_000 */
  maxEntries?: number
}

/** A store in this process, as {@link memory} makes it. */
export interface MemoryStore extends Store {
  /**
   * Forgets everything, the sequences and leases too, as a server does that comes back without its
   * data: the next operation finds a new epoch. Nobody is told.
   */
  lose(): void
}

/**
 * An L2 in this process, for tests and for several caches of one process. All caches that are given
 * the same `memory()` share its data, as processes share a server; it dies with the process.
 *
 * Bytes are neither copied when written nor when read: they are immutable by convention, so do not
 * change an array after handing it over.
 *
 * @throws ERR_INVALID_OPTION for `maxEntries` that is not a whole number ≥ 1 or `Infinity`.
 */
export function memory(options: MemoryStoreOptions = {}): MemoryStore {
  checkOptionNames(options as unknown, ['maxEntries'], 'memory()')
  checkCount(options.maxEntries, 'maxEntries of memory()')
  const { maxEntries = 100_000 } = options
  const channels = new Map<string, MemoryChannel>()

  function channelOf(space: string): MemoryChannel {
    let channel = channels.get(space)
    if (!channel) {
      channel = new MemoryChannel(maxEntries)
      channels.set(space, channel)
    }
    return channel
  }

  return {
    source: 'memory',
    coherence: 'bus',
    supports: { leases: true, atomic: true },
    timeoutMs: 50,
    open(context) {
      const session = new MemorySession(channelOf(context.space), context)
      context.onState({ state: 'ready', source: 'memory' })
      return session
    },
    lose() {
      for (const channel of channels.values()) channel.lose()
    },
  }
}
