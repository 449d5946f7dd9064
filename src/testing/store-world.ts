import assert from 'node:assert/strict'
import type { BusMessage, Store, StoreSession, StoreState } from '../contracts/store.ts'
import { seededRandom } from '../kernel/seeded-random.ts'
import { FakeClock } from './fake-clock.ts'
import { StoreUser } from './store-user.ts'

/** What a store must declare (or lack) for a behaviour to apply to it. */
export type Need = 'leases' | 'no leases' | 'atomic' | 'bus' | 'no bus' | 'one sequence'

export interface Behaviour {
  readonly name: string
  readonly needs?: Need | readonly Need[]
  readonly run: (world: StoreWorld) => Promise<void>
}

export interface WorldOptions {
  readonly advance?: (ms: number) => Promise<void>
  readonly partitioned?: boolean
}

/** By how much an instant may be missed where time passes by itself. */
const LEEWAY_MS = 2000

/** An instant with a realistic number of digits, so that a store which cuts them off is found out. */
const START_MS = 1_800_000_000_123
/** Turns of the event loop after which a message counts as lost: some tenths of a second. */
const PATIENCE = 100_000

let worlds = 0

/** One store, its clock and the sessions that one behaviour opens. */
export class StoreWorld {
  readonly store: Store
  readonly clock = new FakeClock(START_MS)
  readonly seed: number
  /** Never used before: the store may be one that keeps what earlier behaviours wrote. */
  readonly space = `conformance-${++worlds}`
  /** Time before or after an instant at which it is certain whether it has passed. */
  readonly leewayMs: number
  readonly partitioned: boolean
  readonly #advance: ((ms: number) => Promise<void>) | undefined
  readonly #random: () => number
  readonly #sessions: StoreSession[] = []
  readonly #users: StoreUser[] = []

  constructor(store: Store, seed: number, { advance, partitioned = false }: WorldOptions = {}) {
    this.store = store
    this.partitioned = partitioned
    this.#advance = advance
    this.leewayMs = advance ? LEEWAY_MS : 1
    this.seed = seed
    this.#random = seededRandom(seed)
  }

  /** Whether the store's time is the clock's. */
  get isExact(): boolean {
    return this.#advance === undefined
  }

  lacks(needs: Need | readonly Need[]): boolean {
    return typeof needs === 'string' ? this.#lacks(needs) : needs.some((need) => this.#lacks(need))
  }

  /** Opens a session and waits until the store says that it can serve. */
  async open(space: string = this.space): Promise<StoreUser> {
    const messages: BusMessage[] = []
    const { clock, store } = this
    let tell: (state: StoreState) => void = () => {}
    const ready = new Promise<void>((resolve, reject) => {
      tell = ({ state, error }) => {
        if (state === 'ready') resolve()
        if (state === 'down') reject(error ?? new Error('the store says that it is down'))
      }
    })
    const session = store.open({
      clock,
      random: this.#random,
      space,
      onState: (state) => tell(state),
      onMessage: (message) => messages.push(message),
    })
    this.#sessions.push(session)
    await ready
    const user = new StoreUser(session, space, messages, store.supports, clock)
    await user.synchronise()
    this.#users.push(user)
    return user
  }

  /** Two sessions of one space: two processes. */
  async two(): Promise<[StoreUser, StoreUser]> {
    return [await this.open(), await this.open()]
  }

  async advance(ms: number): Promise<void> {
    await this.#advance?.(ms)
    await this.clock.advance(ms)
    if (this.#advance)
      await Promise.all(this.#users.map((user) => user.synchronise().catch(() => {})))
  }

  /** Waits, in real turns of the event loop, for what arrives by itself. */
  async eventually(condition: () => boolean, what: string): Promise<void> {
    for (let turn = 0; turn < PATIENCE; turn++) {
      if (condition()) return
      await nextTurn()
    }
    assert.fail(`it never came true that ${what}`)
  }

  /** Gives what must not arrive a fair chance to do so. */
  async quiet(user: StoreUser): Promise<void> {
    for (let turn = 0; turn < 20; turn++) {
      await user.read([])
      await nextTurn()
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.close()))
  }

  #lacks(need: Need): boolean {
    const { supports, coherence } = this.store
    switch (need) {
      case 'leases':
        return !supports.leases
      case 'no leases':
        return supports.leases
      case 'atomic':
        return !supports.atomic
      case 'bus':
        return coherence !== 'bus'
      case 'no bus':
        return coherence === 'bus'
      case 'one sequence':
        return this.partitioned
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
