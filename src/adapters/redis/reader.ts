import type { Position, ReadReply, ReadRequest } from '../../contracts/store.ts'
import {
  completed,
  type PartReply,
  type PartRequest,
  readApart,
  readByScript,
  readPlainly,
} from './part-reads.ts'
import type { KeyGroup, Parts } from './parts.ts'
import { completePlainly } from './plain-sequence.ts'

/** What the server lets this session do. */
export interface Powers {
  readonly scripts: boolean
  readonly readOnly: boolean
}

/** With entries of 1 kB, fewer are read in less time by the one script. */
const KEYS_WORTH_TWO = 3

/** No sequence, and none may be made: nothing that is there can be believed. */
const NOWHERE: Position = { sequence: 0, epoch: 0 }

type Outcome = PartReply | { readonly error: unknown }

/** Reads over all parts of a cache. */
export class Reader {
  readonly #parts: Parts
  /** Where a part stood when last heard of; told too of each position that a reply brings. */
  readonly #seen: (partition: number, position: Position) => void

  constructor(parts: Parts, seen: (partition: number, position: Position) => void) {
    this.#parts = parts
    this.#seen = seen
  }

  /** @throws where the stamps cannot be had, or no part that has a key */
  async read(request: ReadRequest, powers: Powers): Promise<ReadReply> {
    const { stamps } = this.#parts
    const groups = this.#parts.group(request.keys)
    const [home, ...others] = this.#parts.space.isPartitioned ? [undefined, ...groups] : [groups[0]]
    // All are asked before any is waited for: what goes to one node is one pipeline.
    const central = this.#part(partRequest(stamps, request, home, request.tags), powers)
    const outcomes = others.map((group) =>
      outcomeOf(this.#part(partRequest(group?.partition ?? stamps, request, group, []), powers)),
    )
    const [base, parts] = await Promise.all([central, Promise.all(outcomes)])
    if (home) return whole(request, base)
    return this.#merge(
      request,
      base,
      others.map((group, at) => [group as KeyGroup, parts[at] as Outcome]),
    )
  }

  #merge(
    request: ReadRequest,
    base: PartReply,
    parts: readonly (readonly [KeyGroup, Outcome])[],
  ): ReadReply {
    const failed = parts.flatMap(([, outcome]) => ('error' in outcome ? [outcome.error] : []))
    if (failed.length > 0 && failed.length === parts.length) throw failed[0]
    const { keys, lease } = request
    const records = keys.map((): ReadReply['records'][number] => undefined)
    const leases = keys.map((): ReadReply['leases'][number] => undefined)
    const fruitless = keys.map((): PartReply['fruitless'][number] => undefined)
    // Of a part that did not answer any message is news.
    const positions = keys.map(() => NOWHERE)
    for (const [group, outcome] of parts) {
      if ('error' in outcome) continue
      group.places.forEach((place, at) => {
        records[place] = outcome.records[at]
        leases[place] = outcome.leases[at]
        fruitless[place] = outcome.fruitless[at]
        positions[place] = outcome.position
      })
    }
    const { stamps, now, position } = base
    return {
      records,
      leases,
      ...(lease ? { fruitless } : {}),
      stamps,
      positions,
      ...position,
      now,
    }
  }

  async #part(request: PartRequest, powers: Powers): Promise<PartReply> {
    const reply = await this.#ask(request, powers)
    this.#seen(request.partition, reply.position)
    return reply
  }

  async #ask(request: PartRequest, { scripts, readOnly }: Powers): Promise<PartReply> {
    const needsScript = request.lease !== undefined || request.versions !== undefined
    if (scripts && !readOnly && needsScript) {
      return isWorthTwo(request)
        ? readApart(this.#parts, request)
        : readByScript(this.#parts, request)
    }
    const plain = await readPlainly(this.#parts, request)
    if (plain.position) {
      const isLoad = request.lease !== undefined
      if (!scripts && !readOnly && isLoad && plain.stamps.includes(undefined)) {
        return completed(await completePlainly(this.#parts, request, plain), plain.position)
      }
      return completed(plain, plain.position)
    }
    if (readOnly) return completed(plain, NOWHERE)
    if (scripts) return readByScript(this.#parts, request)
    const made = await completePlainly(this.#parts, request, plain)
    return completed(made, made.position ?? NOWHERE)
  }
}

/** Whether a second command costs less than entries that go through Lua. */
function isWorthTwo({ keys, lease, versions }: PartRequest): boolean {
  return keys.length >= KEYS_WORTH_TWO && lease?.when === 'stale' && !versions
}

/** All keys lie in the one part that was asked, in the order of the request. */
function whole({ lease }: ReadRequest, base: PartReply): ReadReply {
  const { records, leases, fruitless, stamps, now, position } = base
  return {
    records,
    leases,
    ...(lease ? { fruitless } : {}),
    stamps,
    positions: records.map(() => position),
    ...position,
    now,
  }
}

function partRequest(
  partition: number,
  { lease, known }: ReadRequest,
  group: KeyGroup | undefined,
  tags: readonly string[],
): PartRequest {
  // A load has its stamps made in the part that they lie in, keys or none.
  if (!group) return { partition, keys: [], tags, ...(lease ? { lease } : {}) }
  const { keys, places } = group
  const versions = known && places.map((place) => known.versions[place])
  const isKnown = versions?.some((version) => version !== undefined)
  return {
    partition,
    keys,
    tags,
    ...(lease ? { lease } : {}),
    ...(known && versions && isKnown ? { versions, knownBytes: known.bytes } : {}),
  }
}

async function outcomeOf(reply: Promise<PartReply>): Promise<Outcome> {
  try {
    return await reply
  } catch (error) {
    return { error }
  }
}
