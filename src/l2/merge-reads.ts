import type { KnownVersions, LeaseRequest, ReadReply, ReadRequest } from '../contracts/store.ts'

/** What the read path gets: a reply, and the token under which its leases were granted. */
export interface RemoteReply extends ReadReply {
  /** Need not be the one of the request: requests are merged, and one token serves them all. */
  readonly token?: string
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Several reads as one, and the way back: each caller gets its part, in the order of its request. */
export class MergedReads {
  readonly request: ReadRequest
  readonly #token: string | undefined
  readonly #keys: Places
  readonly #tags: Places

  /** @param lease of all of them: a request has only one. */
  constructor(requests: readonly ReadRequest[], lease: LeaseRequest | undefined) {
    this.#keys = new Places(requests.map(({ keys }) => keys))
    this.#tags = new Places(requests.map(({ tags }) => tags))
    this.#token = lease?.token
    const known = this.#mergeKnown(requests)
    this.request = {
      keys: this.#keys.all,
      tags: this.#tags.all,
      ...(lease ? { lease } : {}),
      ...(known ? { known } : {}),
    }
  }

  /** The part of the request with this number. */
  replyTo(index: number, reply: ReadReply): RemoteReply {
    const { records, leases, positions, fruitless, stamps, sequence, epoch, now } = reply
    const keys = this.#keys
    const part: Mutable<RemoteReply> = {
      records: keys.pick(index, records),
      leases: keys.pick(index, leases),
      stamps: this.#tags.pick(index, stamps),
      positions: keys.pick(index, positions),
      sequence,
      epoch,
      now,
    }
    if (fruitless) part.fruitless = keys.pick(index, fruitless)
    if (this.#token !== undefined) part.token = this.#token
    return part
  }

  /** A key that two of them want in different versions is sent whole: both can read that. */
  #mergeKnown(requests: readonly ReadRequest[]): KnownVersions | undefined {
    if (requests.every(({ known }) => known === undefined)) return undefined
    const versions = new Map<number, number | undefined>()
    let bytes = 0
    requests.forEach(({ keys, known }, index) => {
      bytes = Math.max(bytes, known?.bytes ?? 0)
      for (let at = 0; at < keys.length; at++) {
        const place = this.#keys.of(index, at)
        const version = known?.versions[at]
        const isAgreed = !versions.has(place) || versions.get(place) === version
        versions.set(place, isAgreed ? version : undefined)
      }
    })
    return { versions: this.#keys.all.map((_, place) => versions.get(place)), bytes }
  }
}

/** Where the names of several lists are in their union. */
class Places {
  readonly all: string[] = []
  readonly #places: Array<number | readonly number[]>

  constructor(lists: ReadonlyArray<readonly string[]>) {
    const places = new Map<string, number>()
    const placeOf = (name: string): number => {
      const known = places.get(name)
      if (known !== undefined) return known
      places.set(name, this.all.length)
      return this.all.push(name) - 1
    }
    // Most lists have one name, and need no list of places.
    this.#places = lists.map((names) =>
      names.length === 1 ? placeOf(names[0] as string) : names.map(placeOf),
    )
  }

  of(list: number, at: number): number {
    const places = this.#places[list]
    return typeof places === 'number' ? places : (places?.[at] as number)
  }

  pick<T>(list: number, from: readonly T[]): readonly T[] {
    const places = this.#places[list]
    return typeof places === 'number'
      ? [from[places] as T]
      : (places ?? []).map((place) => from[place] as T)
  }
}
