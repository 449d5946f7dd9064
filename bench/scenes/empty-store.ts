import type { ReadRequest, Store } from '../../src/index.ts'

/**
 * An L2 that takes everything and keeps nothing. What a scene measures with it is the library with an
 * L2 configured, not the L2: neither its time nor its memory.
 */
export function emptyStore(): Store {
  let sequence = 0
  return {
    source: 'memory',
    coherence: 'bus',
    supports: { leases: true, atomic: true },
    timeoutMs: 50,
    open(context) {
      context.onState({ state: 'ready', source: 'memory' })
      return {
        read: async ({ keys, tags, lease }: ReadRequest) => ({
          records: keys.map(() => undefined),
          leases: keys.map(() => (lease ? ('granted' as const) : undefined)),
          stamps: tags.map(() => ({ hard: 0, soft: 0 })),
          positions: keys.map(() => ({ sequence, epoch: 1 })),
          sequence,
          epoch: 1,
          now: context.clock.wall(),
        }),
        write: async () => ({ stored: true as const, version: ++sequence }),
        delete: async () => ({ sequence: ++sequence }),
        stamp: async () => ({ sequence: ++sequence }),
        renew: async () => true,
        release: async () => undefined,
        probe: async () => undefined,
        close: async () => undefined,
      }
    },
  }
}
