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
import { LEASE, READ } from './scripts.ts'
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
  let at = 3
  for (let key = 0; key < keys; key++, at += 3) {
    // The script has compared the epochs.
    records.push(recordOf(list[at]))
    leases.push(leaseOf(list[at + 1]))
    fruitless.push(fruitlessOf(list[at + 2]))
  }
  const stamps = stampsOf(list, at, tags)
  return {
    position: { epoch: numberOf(list[0]), sequence: numberOf(list[1]) },
    now: numberOf(list[2]),
    records,
    leases,
    fruitless,
    stamps,
  }
}

/**
 * In one pipeline: the script leases what is missing, and the entries do not go through Lua.
 *
 * Between the two commands others may be served, so the entries may be newer than the script's view,
 * which is no harm: messages of what is newer than the position are still to come. What the two do not
 * agree about, and what is there but not fresh, is read once more as a whole.
 */
export async function readApart(parts: Parts, request: PartRequest): Promise<PartReply> {
  const { partition, keys, tags, lease } = request
  const { space } = parts
  const entries = keys.map((key) => space.entry(partition, key))
  const names = [space.sequence(partition), ...entries]
  for (const key of keys) names.push(space.lease(partition, key))
  for (const tag of tags) names.push(space.stamp(tag))
  const args = [parts.newEpoch(), keys.length, tags.length, lease?.token ?? '', lease?.ms ?? 0]
  const [said, values] = await Promise.all([
    parts.script(partition, LEASE, names, args),
    parts.run(partition, ['MGET', ...entries]),
  ])
  const base = parseLeaseReply(listOf(said), keys.length, tags.length)
  const records = [...base.records]
  const leases = [...base.leases]
  const again: number[] = []
  listOf(values).forEach((value, place) => {
    const lease = leases[place]
    // Whoever was given the lease brings a newer one than what has come in between.
    if (lease === 'granted') return
    const record = freshRecordOf(value, base)
    if (record) {
      records[place] = record
      leases[place] = undefined
    } else if (lease === undefined) again.push(place)
  })
  const reply = { ...base, records, leases }
  return again.length === 0 ? reply : readAgain(parts, request, reply, again)
}

async function readAgain(
  parts: Parts,
  request: PartRequest,
  before: PartReply,
  places: readonly number[],
): Promise<PartReply> {
  const keys = places.map((place) => request.keys[place] as string)
  const some = await readByScript(parts, { ...request, keys, tags: [] })
  if (some.position.epoch !== before.position.epoch) return readByScript(parts, request)
  const records = [...before.records]
  const leases = [...before.leases]
  const fruitless = [...before.fruitless]
  places.forEach((place, at) => {
    records[place] = some.records[at]
    leases[place] = some.leases[at]
    fruitless[place] = some.fruitless[at]
  })
  // The earlier position: of what has happened since, the messages are news.
  return { ...before, records, leases, fruitless }
}

/** Of `LEASE`: without entries yet. */
function parseLeaseReply(list: readonly Reply[], keys: number, tags: number): PartReply {
  const records = new Array<StoredRecord | undefined>(keys).fill(undefined)
  const leases = new Array<ReadReply['leases'][number]>(keys).fill(undefined)
  const fruitless = new Array<FruitlessLoads | undefined>(keys).fill(undefined)
  const missing = listOf(list[3])
  for (let at = 0; at < missing.length; at += 3) {
    const place = numberOf(missing[at]) - 1
    leases[place] = leaseOf(missing[at + 1])
    fruitless[place] = fruitlessOf(missing[at + 2])
  }
  const stamps = stampsOf(list, 4, tags)
  const position = { epoch: numberOf(list[0]), sequence: numberOf(list[1]) }
  return { position, now: numberOf(list[2]), records, leases, fruitless, stamps }
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

function stampsOf(list: readonly Reply[], from: number, tags: number): Stamp[] {
  const stamps: Stamp[] = []
  for (let at = from; at < from + 2 * tags; at += 2) {
    stamps.push({ hard: numberOf(list[at]), soft: numberOf(list[at + 1]) })
  }
  return stamps
}

function freshRecordOf(
  value: Reply | undefined,
  { position, now }: PartReply,
): StoredRecord | undefined {
  const record = Buffer.isBuffer(value) ? parseRecord(value) : undefined
  if (!record || record.epoch !== position.epoch || now >= record.freshUntil) return undefined
  return { bytes: record.bytes, version: record.version }
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
