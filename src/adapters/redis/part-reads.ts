import type {
  Failure,
  FruitlessLoads,
  LeaseRequest,
  Position,
  ReadReply,
  Stamp,
  StoredRecord,
} from '../../contracts/store.ts'
import type { Parts } from './parts.ts'
import { parseRecord } from './record.ts'
import { listOf, numberOf, positionOf, stampOf, textOf, timeOf } from './replies.ts'
import { READ } from './scripts.ts'
import type { Argument, Reply } from './transport.ts'

/** What is wanted of one part. */
export interface PartRequest {
  readonly partition: number
  readonly keys: readonly string[]
  readonly tags: readonly string[]
  readonly lease?: LeaseRequest
  /** In the order of the keys. */
  readonly versions?: readonly (number | undefined)[]
  /** Of an entry whose version is known. */
  readonly knownBytes?: number
}

export interface PartReply {
  readonly position: Position
  readonly now: number
  readonly records: readonly (StoredRecord | undefined)[]
  readonly leases: ReadReply['leases']
  readonly fruitless: readonly (FruitlessLoads | undefined)[]
  readonly stamps: readonly Stamp[]
}

/** What a plain read found: any of it may be missing. */
export interface PlainReply {
  readonly position: Position | undefined
  readonly now: number
  readonly records: readonly (StoredRecord | undefined)[]
  readonly stamps: readonly (Stamp | undefined)[]
}

/** One atomic command: everything of one part, leases and missing stamps included. */
export async function readByScript(parts: Parts, request: PartRequest): Promise<PartReply> {
  const { partition, keys, tags, lease, versions, knownBytes = 0 } = request
  const { space } = parts
  const names = [space.sequence(partition)]
  for (const key of keys) names.push(space.entry(partition, key), space.lease(partition, key))
  for (const tag of tags) names.push(space.stamp(tag))
  const args: Argument[] = [
    parts.newEpoch(),
    keys.length,
    tags.length,
    lease?.when ?? '',
    lease?.token ?? '',
    lease?.ms ?? 0,
    knownBytes,
  ]
  if (versions) for (const version of versions) args.push(version ?? '')
  const reply = await parts.script(partition, READ, names, args)
  return parseScriptReply(listOf(reply), keys.length, tags.length)
}

/** Of `READ` with these numbers of keys and tags. */
export function parseScriptReply(list: readonly Reply[], keys: number, tags: number): PartReply {
  const records: (StoredRecord | undefined)[] = []
  const leases: ReadReply['leases'][number][] = []
  const fruitless: (FruitlessLoads | undefined)[] = []
  const stamps: Stamp[] = []
  let at = 3
  for (let key = 0; key < keys; key++, at += 3) {
    // The script has compared the epochs.
    records.push(recordOf(list[at]))
    leases.push(leaseOf(list[at + 1]))
    fruitless.push(fruitlessOf(list[at + 2]))
  }
  for (let tag = 0; tag < tags; tag++, at += 2) {
    stamps.push({ hard: numberOf(list[at]), soft: numberOf(list[at + 1]) })
  }
  return {
    position: { epoch: numberOf(list[0]), sequence: numberOf(list[1]) },
    now: numberOf(list[2]),
    records,
    leases,
    fruitless,
    stamps,
  }
}

/** In one pipeline; the sequence first, so that no entry or stamp is missed that came after it. */
export async function readPlainly(
  parts: Parts,
  { partition, keys, tags }: PartRequest,
): Promise<PlainReply> {
  const { space } = parts
  const [sequence, time, stamps, entries] = await Promise.all([
    parts.run(partition, ['HMGET', space.sequence(partition), 'e', 'n']),
    parts.run(partition, ['TIME']),
    tags.length === 0 ? [] : parts.run(partition, ['MGET', ...tags.map((tag) => space.stamp(tag))]),
    keys.length === 0
      ? []
      : parts.run(partition, ['MGET', ...keys.map((key) => space.entry(partition, key))]),
  ])
  const position = positionOf(sequence)
  const epoch = position?.epoch ?? -1
  return {
    position,
    now: timeOf(time),
    records: listOf(entries).map((value) => recordOf(value, epoch)),
    stamps: listOf(stamps).map((value) => stampOf(value, epoch)),
  }
}

/** A plain read as a reply: what is missing may have been lost, so it counts as changed just now. */
export function completed(plain: PlainReply, position: Position): PartReply {
  const present = { hard: position.sequence, soft: position.sequence }
  return {
    position,
    now: plain.now,
    records: plain.records,
    leases: plain.records.map(() => undefined),
    fruitless: plain.records.map(() => undefined),
    stamps: plain.stamps.map((stamp) => stamp ?? present),
  }
}

function recordOf(value: Reply | undefined, epoch?: number): StoredRecord | undefined {
  const record = Buffer.isBuffer(value) ? parseRecord(value) : undefined
  if (!record || (epoch !== undefined && record.epoch !== epoch)) return undefined
  return { bytes: record.bytes, version: record.version }
}

function leaseOf(value: Reply | undefined): 'granted' | 'held' | undefined {
  if (value === 1) return 'granted'
  return value === 2 ? 'held' : undefined
}

function fruitlessOf(value: Reply | undefined): FruitlessLoads | undefined {
  if (!Array.isArray(value)) return undefined
  const [failed, failure, unstored] = value as readonly Reply[]
  const last = failureOf(textOf(failure) ?? '')
  return {
    failed: numberOf(failed),
    unstored: numberOf(unstored),
    ...(last ? { failure: last } : {}),
  }
}

function failureOf(text: string): Failure | undefined {
  if (text === '') return undefined
  try {
    const { name, message, code } = JSON.parse(text) as Record<string, unknown>
    if (typeof name !== 'string' || typeof message !== 'string') return undefined
    return typeof code === 'string' ? { name, message, code } : { name, message }
  } catch {
    return undefined
  }
}
