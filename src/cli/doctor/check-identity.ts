import type { ServerInfo } from '../../adapters/redis/ioredis/discovery.ts'
import { plain } from '../text.ts'
import { type Finding, ok, problem, warning } from './finding.ts'
import { versionOf } from './patient.ts'

const OLDEST = 6
const NEED = 'The cache needs the server that takes the writes.'

/** What server this is, and whether it is of the kind that was asked for. */
export function checkIdentity(
  info: ServerInfo,
  isClustered: boolean,
  user: string,
): readonly Finding[] {
  if (info.redis_version === undefined) return [unknown(user)]
  return [checkVersion(info), checkRole(info, isClustered)]
}

function checkVersion(info: ServerInfo): Finding {
  const name = info.valkey_version ? 'Valkey' : 'Redis'
  const version = plain(info.valkey_version ?? info.redis_version ?? '')
  const [major] = versionOf(info)
  if (major >= OLDEST) return ok('version', `${name} ${version}`)
  return problem(
    'version',
    `${name} ${version} is older than ${OLDEST}.0`,
    'It lacks what the scripts need (SET … KEEPTTL): the cache would not work on it.',
    `Upgrade to ${OLDEST}.2 or later.`,
  )
}

function checkRole(info: ServerInfo, isClustered: boolean): Finding {
  if (info.redis_mode === 'sentinel') {
    return problem(
      'role',
      'It is a sentinel, not a server with data',
      NEED,
      'Give it as --sentinels host:port,… with --master-name (sentinels and masterName in redis()).',
    )
  }
  if (info.cluster_enabled === '1' && !isClustered) {
    return problem(
      'role',
      'It is a node of a Redis Cluster, which was given as a single server',
      'A node has a part of the keys only, so the cache refuses to use it alone.',
      'Give some nodes as --cluster host:port,… (cluster in redis()).',
    )
  }
  if (info.role !== 'slave') return ok('role', 'master')
  const master = info.master_host ? ` of ${plain(info.master_host)}:${info.master_port}` : ''
  return problem(
    'role',
    `It is a replica${master}`,
    NEED,
    'Give the address of the master, or the sentinels that know it.',
  )
}

function unknown(user: string): Finding {
  return warning(
    'role',
    'The user may not ask what server this is (INFO)',
    'After each reconnect the cache takes the server for another one and begins anew: all misses.',
    `ACL SETUSER ${user} +info`,
  )
}
