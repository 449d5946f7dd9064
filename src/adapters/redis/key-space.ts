import { crc32 } from 'node:zlib'

/** In Cluster the keys are cut into so many parts, each of which lies in one slot. */
const PARTITIONS = 64
/** Number of the part that has the stamps; outside Cluster there is one part for everything. */
export const STAMPS = PARTITIONS

/** Numbers of last stamps are kept for so many groups of tags, for tags whose own was lost. */
const BUCKETS = 256

/** Characters that would end a hash tag, or that the tools of operators cannot show. */
const UNSAFE = /[%{}\p{Cc}\p{Cs}]/gu

/** Where everything of one cache lies in Redis. */
export class KeySpace {
  readonly isPartitioned: boolean
  readonly #prefix: string
  readonly #space: string
  readonly #heads: string[] = []

  constructor(prefix: string, space: string, isPartitioned: boolean) {
    this.#prefix = prefix
    this.#space = space.replace(UNSAFE, (character) => `%${character.charCodeAt(0).toString(16)}`)
    this.isPartitioned = isPartitioned
  }

  /** All parts, the one with the stamps last. */
  get partitions(): readonly number[] {
    return this.isPartitioned ? Array.from({ length: PARTITIONS + 1 }, (_, at) => at) : [STAMPS]
  }

  partitionOf(key: string): number {
    return this.isPartitioned ? crc32(key) % PARTITIONS : STAMPS
  }

  /** Braces and all: the keys of one part share it, and with it their slot. */
  hashTag(partition: number): string {
    if (!this.isPartitioned) return `{${this.#space}}`
    return partition === STAMPS ? `{${this.#space}/t}` : `{${this.#space}/${partition}}`
  }

  /** A hash: `e` the epoch, `n` the sequence number, `b<bucket>` the last stamp of these tags. */
  sequence(partition: number): string {
    return `${this.#head(partition)}q`
  }

  /** A string: version and freshUntil (doubles), epoch (32 bits), then the bytes of the record. */
  entry(partition: number, key: string): string {
    return `${this.#head(partition)}e:${key}`
  }

  /**
   * A hash: `t` the token, `u` until when (server time), and what became of loads that stored
   * nothing: `f` how many failed, `m` the last failure as JSON, `x` how many may not be stored.
   */
  lease(partition: number, key: string): string {
    return `${this.#head(partition)}l:${key}`
  }

  /** A string: epoch, hard and soft number, separated by spaces. */
  stamp(tag: string): string {
    return `${this.#head(STAMPS)}t:${tag}`
  }

  bucketOf(tag: string): number {
    return crc32(tag) % BUCKETS
  }

  channel(partition: number, isSharded: boolean): string {
    return isSharded
      ? `${this.#prefix}:${this.hashTag(partition)}:bus`
      : `${this.#prefix}:${this.hashTag(STAMPS)}:bus`
  }

  /** What the names of one part begin with; made once, since every read needs some. */
  #head(partition: number): string {
    let head = this.#heads[partition]
    if (head === undefined) {
      head = `${this.#prefix}:${this.hashTag(partition)}:`
      this.#heads[partition] = head
    }
    return head
  }
}
