import type { Endpoint } from '../../../src/adapters/redis/ioredis/discovery.ts'
import type { SentinelTarget } from '../../../src/adapters/redis/ioredis/sentinel-links.ts'
import type { Settings } from '../../../src/adapters/redis/ioredis/settings.ts'

export function targetOf(
  sentinels: readonly Endpoint[],
  given: Partial<SentinelTarget> = {},
): SentinelTarget {
  return {
    kind: 'sentinel',
    sentinels,
    masterName: 'mymaster',
    standalone: [],
    fallback: 'read-write',
    sentinelCredentials: {},
    ...given,
  }
}

export function settingsOf(target: SentinelTarget, given: Partial<Settings> = {}): Settings {
  return {
    target,
    credentials: {},
    db: 0,
    prefix: 'rc:',
    timeoutMs: 50,
    coherence: 'bus',
    connections: 1,
    maxValueBytes: 1024 * 1024,
    ...given,
  }
}
