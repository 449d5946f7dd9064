import type { StoreContext } from '../../contracts/store.ts'
import type { CommandQueue, ScriptSending } from './command-queue.ts'
import { type KeySpace, STAMPS } from './key-space.ts'
import type { Script } from './scripts.ts'
import type { Argument, Command, Reply, Transport } from './transport.ts'

const EPOCHS = 2 ** 32

/** The keys of a request that lie in one part, and where they were in the request. */
export interface KeyGroup {
  readonly partition: number
  readonly keys: readonly string[]
  readonly places: readonly number[]
}

/** The parts of one cache, each on the node that has it at present. */
export class Parts {
  readonly space: KeySpace
  readonly #transport: Transport
  readonly #queue: CommandQueue
  readonly #random: StoreContext['random']

  constructor(
    space: KeySpace,
    transport: Transport,
    queue: CommandQueue,
    random: StoreContext['random'],
  ) {
    this.space = space
    this.#transport = transport
    this.#queue = queue
    this.#random = random
  }

  script(
    partition: number,
    script: Script,
    keys: readonly string[],
    args: readonly Argument[],
    by: ScriptSending = 'digest',
  ): Promise<Exclude<Reply, Error>> {
    return this.#queue.script(this.nodeOf(partition), script, keys, args, by)
  }

  run(partition: number, command: Command): Promise<Exclude<Reply, Error>> {
    return this.#queue.run(this.nodeOf(partition), command)
  }

  nodeOf(partition: number): string {
    return this.#transport.nodeOf(this.space.hashTag(partition))
  }

  /** In order of first appearance; one group of all where there are no parts. */
  group(keys: readonly string[]): readonly KeyGroup[] {
    if (!this.space.isPartitioned) {
      const places = keys.map((_, place) => place)
      return keys.length === 0 ? [] : [{ partition: STAMPS, keys, places }]
    }
    const groups = new Map<number, { partition: number; keys: string[]; places: number[] }>()
    keys.forEach((key, place) => {
      const partition = this.space.partitionOf(key)
      let group = groups.get(partition)
      if (!group) {
        group = { partition, keys: [], places: [] }
        groups.set(partition, group)
      }
      group.keys.push(key)
      group.places.push(place)
    })
    return [...groups.values()]
  }

  /** The part of the stamps, from which the time of a reply is taken too. */
  get stamps(): number {
    return STAMPS
  }

  /** Not 0, which stands for none. */
  newEpoch(): number {
    return 1 + Math.floor(this.#random() * (EPOCHS - 1))
  }
}
