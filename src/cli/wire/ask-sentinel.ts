import type { Endpoint } from '../../adapters/redis/ioredis/discovery.ts'
import type { Target } from '../../adapters/redis/ioredis/settings.ts'
import type { Reply } from '../../adapters/redis/transport.ts'
import type { Clock } from '../../contracts/clock.ts'
import type { Finding } from '../doctor/finding.ts'
import type { Connection } from './connection.ts'
import { reach } from './reach.ts'
import { addressText } from './route.ts'

export type SentinelTarget = Extract<Target, { kind: 'sentinel' }>

/** What one sentinel says; only `endpoint` and `findings` where it could not be asked. */
export interface SentinelAnswer {
  readonly endpoint: Endpoint
  /** Of the connection. */
  readonly findings: readonly Finding[]
  readonly isReached: boolean
  /** First word of what it replied instead of an answer. */
  readonly refusal?: string
  readonly master?: Endpoint
  readonly flags: string
  /** `undefined` where it does not say. */
  readonly quorum?: { readonly isReachable: boolean; readonly text: string }
  readonly replicas: readonly SeenReplica[]
  /** How many others it knows. */
  readonly others?: number
  /** Names of the masters it watches. */
  readonly names: readonly string[]
}

export interface SeenReplica extends Endpoint {
  readonly flags: string
}

/** All of them at once. Never rejects. */
export function askSentinels(
  { sentinels, masterName, sentinelCredentials, sentinelTls }: SentinelTarget,
  clock: Clock,
): Promise<readonly SentinelAnswer[]> {
  return Promise.all(
    sentinels.map(async (endpoint): Promise<SentinelAnswer> => {
      const route = { endpoint, credentials: sentinelCredentials, tls: sentinelTls, db: 0 }
      const { connection, findings } = await reach(route, clock)
      const nothing = { endpoint, findings, flags: '', replicas: [], names: [] }
      if (!connection) return { ...nothing, isReached: false }
      try {
        return { ...nothing, isReached: true, ...(await ask(connection, masterName)) }
      } catch {
        return { ...nothing, isReached: true, refusal: 'time-out' }
      } finally {
        connection.close()
      }
    }),
  )
}

/** The address that most of them name. */
export function masterOf(answers: readonly SentinelAnswer[]): Endpoint | undefined {
  const votes = new Map<string, { endpoint: Endpoint; votes: number }>()
  for (const { master } of answers) {
    if (!master) continue
    const known = votes.get(addressText(master))
    if (known) known.votes++
    else votes.set(addressText(master), { endpoint: master, votes: 1 })
  }
  return [...votes.values()].sort((a, b) => b.votes - a.votes)[0]?.endpoint
}

async function ask(
  connection: Connection,
  name: string,
): Promise<Omit<SentinelAnswer, 'endpoint' | 'findings' | 'isReached'>> {
  const [address, ckquorum, master, replicas, others, masters] = await connection.all([
    ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name],
    ['SENTINEL', 'CKQUORUM', name],
    ['SENTINEL', 'MASTER', name],
    ['SENTINEL', 'REPLICAS', name],
    ['SENTINEL', 'SENTINELS', name],
    ['SENTINEL', 'MASTERS'],
  ])
  const quorum = quorumOf(ckquorum)
  const found = endpointOf(address)
  const refusal =
    address instanceof Error ? (/^\S+/.exec(address.message)?.[0] ?? 'ERR') : undefined
  return {
    ...(refusal && { refusal }),
    ...(found && { master: found }),
    ...(quorum && { quorum }),
    flags: fieldsOf(master).flags ?? '',
    replicas: listOf(replicas).map(fieldsOf).flatMap(replicaOf),
    ...(Array.isArray(others) && { others: others.length }),
    names: listOf(masters).map((one) => fieldsOf(one).name ?? ''),
  }
}

function endpointOf(reply: Reply | undefined): Endpoint | undefined {
  if (!Array.isArray(reply)) return undefined
  const port = Number(String(reply[1]))
  return Number.isInteger(port) ? { host: String(reply[0]), port } : undefined
}

function quorumOf(reply: Reply | undefined): SentinelAnswer['quorum'] {
  if (Buffer.isBuffer(reply)) return { isReachable: true, text: reply.toString() }
  if (reply instanceof Error && reply.message.startsWith('NOQUORUM')) {
    return { isReachable: false, text: reply.message }
  }
  return undefined
}

function replicaOf({ ip, port, flags = '' }: Record<string, string>): SeenReplica[] {
  return ip === undefined ? [] : [{ host: ip, port: Number(port), flags }]
}

function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : []
}

/** Name, value, name, value. */
function fieldsOf(reply: Reply | undefined): Record<string, string> {
  const parts = listOf(reply).map(String)
  const fields: Record<string, string> = {}
  for (let at = 0; at + 1 < parts.length; at += 2)
    fields[parts[at] as string] = parts[at + 1] as string
  return fields
}
