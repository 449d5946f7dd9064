import type { Store } from '../../contracts/store.ts'
import { kindOf } from '../../kernel/duration.ts'
import { invalidOption } from '../../kernel/options.ts'
import type { KeyvLike } from './keyv-backend.ts'
import { KeyvSession } from './keyv-session.ts'
import { Queues } from './queues.ts'

const TIMEOUT_MS = 50

/** Two stores may share one backend. */
const QUEUES = new WeakMap<object, Queues>()

/**
 * Any Keyv, or any storage adapter of one, as a level that several processes share.
 *
 * A key-value backend can neither lease nor compare: several processes may load one key at the same
 * time, and what one invalidates while another stores may be overtaken. Where that matters use
 * `redis()` or `sqlite()`. A stamp that the backend evicts makes the entries of its tag stale.
 *
 * While a cache has it open it listens to the `error` event of the Keyv: a lost connection does not
 * end the process, and your own calls on the same instance answer as Keyv documents for one that is
 * listened to. The connection stays yours: closing the cache does not disconnect it.
 *
 * ```ts
 * const cache = createCache({ name: 'api', l2: keyv(new Keyv(new KeyvRedis(url))) })
 * ```
 *
 * @throws ERR_INVALID_OPTION for anything without `get`, `set` and `delete`.
 */
export function keyv(backend: KeyvLike): Store {
  const candidate = backend as unknown as Record<string, unknown> | null | undefined
  for (const method of ['get', 'set', 'delete']) {
    if (typeof candidate?.[method] !== 'function') {
      throw invalidOption(
        `keyv() takes a Keyv or a storage adapter with get, set and delete; got ${kindOf(backend)}`,
      )
    }
  }
  const queues = QUEUES.get(backend) ?? new Queues()
  QUEUES.set(backend, queues)
  return {
    source: 'client',
    coherence: 'ttl-only',
    supports: { leases: false, atomic: false },
    timeoutMs: TIMEOUT_MS,
    open: (context) => new KeyvSession(backend, context, queues),
  }
}
