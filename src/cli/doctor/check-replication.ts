import type { ServerInfo } from '../../adapters/redis/ioredis/discovery.ts'
import { byteText, count } from '../text.ts'
import { type Finding, ok, problem, warning } from './finding.ts'

/** A replica further behind loses that much in a failover. */
const BEHIND_BYTES = 1024 * 1024

/** Who takes over, and whether writes wait for anybody. `isWatched`: somebody would promote one. */
export function checkReplication(
  info: ServerInfo,
  leastReplicas: number,
  isWatched: boolean,
): readonly Finding[] {
  if (info.role !== 'master') return []
  const replicas = Object.entries(info)
    .filter(([name]) => /^slave\d+$/.test(name))
    .map(([, text]) => fieldsOf(text))
  const online = replicas.filter(({ state }) => state === 'online')
  return [
    checkReplicas(info, replicas.length, online, isWatched),
    checkLeast(info, leastReplicas),
  ].filter((finding) => finding !== undefined)
}

function checkReplicas(
  info: ServerInfo,
  known: number,
  online: readonly Record<string, string>[],
  isWatched: boolean,
): Finding {
  if (online.length === 0 && isWatched) {
    return warning(
      'replication',
      known === 0 ? 'No replica is connected' : 'No replica is in sync yet',
      'When this master dies nobody can take over: the cache then works without Redis.',
      'Start a replica (replicaof), or look into its log for why it does not connect.',
    )
  }
  if (online.length === 0) return ok('replication', 'no replica')
  const offset = Number(info.master_repl_offset)
  const behind = Math.max(...online.map((one) => offset - Number(one.offset ?? offset)))
  const text = `${count(online.length, 'replica')} in sync, at most ${byteText(Math.max(0, behind))} behind`
  if (behind < BEHIND_BYTES) return ok('replication', text)
  return warning(
    'replication',
    text,
    'After a failover that much is missing, invalidations among it until they are replayed.',
    'Check the network between them, and what else the replica has to do.',
  )
}

function checkLeast(info: ServerInfo, least: number): Finding | undefined {
  if (least === 0) return undefined
  const good = Number(info.min_slaves_good_slaves ?? info.connected_slaves ?? 0)
  if (good >= least) return ok('min-replicas', `${good} good, ${least} needed for writes`)
  return problem(
    'min-replicas',
    `Writes need ${count(least, 'replica')} (min-replicas-to-write), and ${good} are good`,
    'The server refuses every write (NOREPLICAS): nothing is cached or invalidated.',
    'Bring the replicas back, or CONFIG SET min-replicas-to-write 0.',
  )
}

function fieldsOf(text: string): Record<string, string> {
  return Object.fromEntries(text.split(',').map((part) => part.split('=') as [string, string]))
}
