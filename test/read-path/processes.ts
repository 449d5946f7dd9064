import { type FunctionOptions, memory, type Store } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { altered } from '../l2/altered-store.ts'
import { aWorld, Origin, type World } from './fixture.ts'

type Load = (id?: string) => Promise<string>
export type LoadOptions = FunctionOptions<Parameters<Load>, string>

/** One process: a cache, its own line to the shared store, and an origin of its own. */
export interface Process {
  readonly origin: Origin
  readonly cache: ReturnType<World['cache']>
  readonly get: ReturnType<typeof wrap>
  readonly line: ReturnType<typeof chaosStore>
}

function wrap(cache: ReturnType<World['cache']>, origin: Origin, options: LoadOptions) {
  return cache.cached(origin.load, { name: 'fn', tags: (id) => [`id:${id}`], ...options })
}

/** Processes over one store, which each of them may see in its own way. */
export function someProcesses(options: LoadOptions = {}, shared: Store = memory()) {
  const world = aWorld()
  const start = (
    see: (store: Store) => Store = (store) => store,
    more: Parameters<World['cache']>[0] = {},
  ): Process => {
    const line = chaosStore(see(shared))
    const origin = new Origin()
    const cache = world.cache({ l2: line, ...more })
    return { origin, cache, get: wrap(cache, origin, options), line }
  }
  return { clock: world.clock, world, shared, start }
}

/** A store whose messages never arrive. */
export function withoutBus(store: Store): Store {
  return { ...store, open: ({ onMessage: _, ...deaf }) => store.open(deaf) }
}

/** What the sessions of a store were asked and answered. */
export function watched(store: Store) {
  const seen = { reads: 0, plainReads: 0, bytes: [] as number[], ends: [] as string[] }
  const seenStore = altered(store, (session) => ({
    async read(request) {
      seen.reads++
      if (!request.lease) seen.plainReads++
      const reply = await session.read(request)
      for (const record of reply.records) if (record) seen.bytes.push(record.bytes.length)
      return reply
    },
    release(key, token, end) {
      seen.ends.push(end?.kind ?? 'none')
      return session.release(key, token, end)
    },
  }))
  return { seen, store: seenStore }
}
