import { slotOf } from '../../adapters/redis/ioredis/cluster-slot.ts'
import { type KeySpace, STAMPS } from '../../adapters/redis/key-space.ts'
import { parseRecord, type RedisRecord } from '../../adapters/redis/record.ts'
import type { Command, Reply } from '../../adapters/redis/transport.ts'
import type { Position, Stamp } from '../../contracts/store.ts'
import { type EnvelopeHeader, HEADER_BYTES, readHeader } from '../../envelope/header.ts'
import { decodeTags } from '../../envelope/tag-section.ts'
import { type Servers, unavailable } from './servers.ts'

export interface Lease {
  readonly isHeld: boolean
  readonly until?: number
  readonly failed: number
  readonly unstored: number
}

export interface TagStamp {
  readonly tag: string
  /** Absent: lost, or of another epoch, which means the present number. */
  readonly stamp?: Stamp
}

/** Everything that Redis has of one key. Instants are the server's. */
export interface Found {
  readonly now: number
  readonly entryKey: string
  readonly partition: number | undefined
  readonly slot: number | undefined
  /** Of the part that has the key, and of the stamps. */
  readonly position: Position | undefined
  readonly stampsPosition: Position | undefined
  readonly lease: Lease
  /** Bytes as stored; absent: there is nothing under the key. */
  readonly stored?: Buffer
  readonly lifeMs?: number
  readonly record?: RedisRecord
  readonly header?: EnvelopeHeader
  readonly tags: readonly TagStamp[]
}

/** @throws ERR_L2_UNAVAILABLE */
export async function findEntry(servers: Servers, space: KeySpace, key: string): Promise<Found> {
  const partition = space.partitionOf(key)
  const entryKey = space.entry(partition, key)
  const [time, stored, life, position, lease] = await askAt(servers, entryKey, [
    ['TIME'],
    ['GET', entryKey],
    ['PTTL', entryKey],
    ['HMGET', space.sequence(partition), 'e', 'n'],
    ['HMGET', space.lease(partition, key), 't', 'u', 'f', 'x'],
  ])
  const now = timeOf(time)
  const stampsKey = space.sequence(STAMPS)
  const [stamps] = await askAt(servers, stampsKey, [['HMGET', stampsKey, 'e', 'n']])
  const stampsPosition = positionOf(stamps)
  const record = Buffer.isBuffer(stored) ? parseRecord(stored) : undefined
  const header = record && readHeader(record.bytes)
  return {
    now,
    entryKey,
    partition: space.isPartitioned ? partition : undefined,
    slot: servers.isClustered ? slotOf(entryKey) : undefined,
    position: positionOf(position),
    stampsPosition,
    lease: leaseOf(lease, now),
    ...(Buffer.isBuffer(stored) && { stored }),
    ...(typeof life === 'number' && life >= 0 && { lifeMs: life }),
    ...(record && { record }),
    ...(header && { header }),
    tags:
      record && header
        ? await findStamps(servers, space, tagsOf(record, header), stampsPosition)
        : [],
  }
}

function timeOf(reply: Reply | undefined): number {
  const [seconds, micros] = Array.isArray(reply) ? reply : []
  return Number(String(seconds)) * 1000 + Math.floor(Number(String(micros)) / 1000)
}

function tagsOf({ bytes }: RedisRecord, { tagBytes }: EnvelopeHeader): readonly string[] {
  return decodeTags(Buffer.from(bytes), HEADER_BYTES, HEADER_BYTES + tagBytes) ?? []
}

async function findStamps(
  servers: Servers,
  space: KeySpace,
  tags: readonly string[],
  position: Position | undefined,
): Promise<readonly TagStamp[]> {
  if (tags.length === 0) return []
  const names = tags.map((tag) => space.stamp(tag))
  const [replies] = await askAt(servers, names[0] as string, [['MGET', ...names]])
  return tags.map((tag, at) => {
    const stamp = stampOf((replies as readonly Reply[])[at], position)
    return stamp ? { tag, stamp } : { tag }
  })
}

/** The library reads a stamp of another epoch as if it were not there. */
function stampOf(reply: Reply | undefined, position: Position | undefined): Stamp | undefined {
  if (!Buffer.isBuffer(reply)) return undefined
  const [epoch, hard, soft] = reply.toString().split(' ').map(Number)
  if (hard === undefined || soft === undefined || epoch !== position?.epoch) return undefined
  return { hard, soft }
}

function positionOf(reply: Reply | undefined): Position | undefined {
  if (!Array.isArray(reply) || reply[0] === null || reply[1] === null) return undefined
  return { epoch: Number(String(reply[0])), sequence: Number(String(reply[1])) }
}

function leaseOf(reply: Reply | undefined, now: number): Lease {
  const [token, until, failed, unstored] = Array.isArray(reply) ? reply : []
  const end = until ? Number(String(until)) : undefined
  return {
    isHeld: Boolean(token) && end !== undefined && now < end,
    ...(end !== undefined && { until: end }),
    failed: Number(String(failed ?? 0)),
    unstored: Number(String(unstored ?? 0)),
  }
}

async function askAt(
  servers: Servers,
  key: string,
  commands: readonly Command[],
): Promise<readonly Reply[]> {
  const connection = await servers.having(key)
  const replies = await connection.all(commands)
  const error = replies.find((reply) => reply instanceof Error)
  if (!(error instanceof Error)) return replies
  const kind = /^[A-Z]+/.exec(error.message)?.[0] ?? 'ERR'
  throw unavailable(
    REPLIES[kind] ?? `Redis answers ${kind}. Run resilient-cache doctor, with the same options.`,
  )
}

const REPLIES: Readonly<Record<string, string>> = {
  NOPERM:
    'The user may not read these keys (NOPERM): check --prefix, and the ACL rules of the user.',
  MOVED: 'The server is a node of a Redis Cluster: give some nodes as --cluster host:port,…',
  WRONGTYPE:
    'What lies under the key is not of this library (WRONGTYPE): check --prefix and --cache.',
}
