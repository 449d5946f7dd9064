import type { ServerInfo } from '../../adapters/redis/ioredis/discovery.ts'
import { byteText, plain } from '../text.ts'
import { type Finding, ok, warning } from './finding.ts'

const FULL = 0.9
const SET_POLICY = 'CONFIG SET maxmemory-policy volatile-lru, and the same in redis.conf.'

/** What happens when memory runs out, and how far that is. */
export function checkMemory(info: ServerInfo): readonly Finding[] {
  const policy = info.maxmemory_policy
  if (policy === undefined) return []
  const limit = Number(info.maxmemory)
  const used = Number(info.used_memory)
  if (limit === 0) return [withoutLimit(policy, used)]
  return [checkPolicy(policy), checkRoom(used, limit, Number(info.evicted_keys ?? 0), policy)]
}

function withoutLimit(policy: string, used: number): Finding {
  const named = policy.startsWith('volatile-') ? '' : ` and the policy is ${plain(policy)}`
  return warning(
    'eviction',
    `maxmemory is not set${named}; ${byteText(used)} are in use`,
    'Redis grows until the system ends it, and the cache is empty after that.',
    'CONFIG SET maxmemory 1gb (what the machine can spare), CONFIG SET maxmemory-policy volatile-lru, and the same in redis.conf.',
  )
}

function checkPolicy(policy: string): Finding {
  if (policy.startsWith('volatile-')) {
    return ok('eviction', `${plain(policy)}: entries and stamps make room, sequences stay`)
  }
  if (policy === 'noeviction') {
    return warning(
      'eviction',
      'maxmemory-policy is noeviction',
      'Once memory is full every write fails (OOM): nothing new is cached, and invalidations do not reach other processes.',
      `${SET_POLICY} All that the cache could lose without harm has a ttl.`,
    )
  }
  return warning(
    'eviction',
    `maxmemory-policy is ${plain(policy)}`,
    'It evicts sequences and stamps too. A lost sequence makes everything the cache has stored stale at once; a lost stamp, all entries with that tag. Never wrong, but a burst of origin calls.',
    `${SET_POLICY} Sequences have no ttl, so volatile-* keeps them.`,
  )
}

function checkRoom(used: number, limit: number, evicted: number, policy: string): Finding {
  const share = used / limit
  const text = `${byteText(used)} of ${byteText(limit)} in use (${Math.round(share * 100)} %), ${evicted} keys evicted since the start`
  if (share < FULL || (policy.startsWith('volatile-') && evicted === 0)) return ok('memory', text)
  return warning(
    'memory',
    text,
    policy === 'noeviction'
      ? 'Writes are about to fail, or do so already.'
      : 'Entries are thrown out before their ttl: the hit rate is lower than it could be.',
    'Raise maxmemory, shorten ttl and grace, or set compression in createCache.',
  )
}
