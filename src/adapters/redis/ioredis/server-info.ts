import type { ServerInfo } from './discovery.ts'
import { ConnectionFault } from './redis-errors.ts'

const NO_ID = /^0*$/

/** Fields of the text that INFO replies. */
export function parseInfo(text: string): ServerInfo {
  const info: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0 && !line.startsWith('#'))
      info[line.slice(0, colon)] = line.slice(colon + 1).trim()
  }
  return info
}

export function isLoading(info: ServerInfo): boolean {
  return info.loading === '1'
}

/** Why a single connection will not do there, whatever the role of the server. */
export function refuseCluster(info: ServerInfo): Error | undefined {
  if (info.cluster_enabled !== '1') return undefined
  return new ConnectionFault(
    'setting',
    'The server belongs to a Redis Cluster (cluster_enabled): use cluster: [...] instead of url or sentinels.',
  )
}

/** Why a server will not do where a master is wanted. */
export function refuseRole(info: ServerInfo): Error | undefined {
  if (info.redis_mode === 'sentinel') {
    return new ConnectionFault(
      'setting',
      'The server is a sentinel: give its address in sentinels, with masterName.',
    )
  }
  if (info.role === undefined || info.role === 'master') return undefined
  return new ConnectionFault(
    'wrong-node',
    'The server is a replica (READONLY): give the address of the master, or sentinels that know it.',
  )
}

export function idOf(value: string | undefined): string | undefined {
  return value === undefined || NO_ID.test(value) ? undefined : value
}
