import type { Cache } from '../../src/index.ts'
import type { Origins } from './origins.ts'

/**
 * The same functions behind `cached()`: this file is all that the library asks of a service.
 *
 * The demo runs 50 times faster than life, so the partner's ttl of 2 s stands for 100 s.
 */
export function cachedOrigins(cache: Cache, origins: Origins): Origins {
  return {
    // A verdict on a document is final. A rejection may be a fault of theirs, soon repaired.
    validate: cache.cached(origins.validate, {
      name: 'validate',
      ttl: ({ accepted }) => (accepted ? '1d' : '1m'),
      grace: '7d',
    }),

    // Partners change: after the ttl the old answer is still served at once, for up to an hour,
    // while a new one is fetched behind it. When that fails, nobody notices.
    findPartner: cache.cached(origins.findPartner, {
      name: 'partner',
      ttl: '2s',
      grace: '1h',
    }),

    // The same text would be paid again. `jitter` keeps entries that were stored together from
    // ending together.
    review: cache.cached(origins.review, {
      name: 'review',
      ttl: '7d',
      grace: '7d',
      jitter: 0.2,
    }),
  }
}
