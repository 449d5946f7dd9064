import assert from 'node:assert/strict'
import type { BusMessage, Fence, StampMode } from '../contracts/store.ts'
import { seededRandom } from '../kernel/seeded-random.ts'
import { type ModelLeaseRequest, StoreModel } from './store-model.ts'
import { type Numbering, OneSequence, PartSequences } from './store-numbering.ts'
import type { StoreUser } from './store-user.ts'
import type { Behaviour, StoreWorld } from './store-world.ts'

const SERIES = 3
const OPERATIONS = 400
const SHOWN_IN_A_FAILURE = 15

const NAMES = ['a', 'b', 'c', 'd']
const TAGS = ['t', 'u', 'v']
const TOKENS = ['p', 'q', 'r']
// Time moves in tens and instants end in five, so that nothing falls on the very end of anything:
// stores may differ in whether an instant belongs to what ends there.
const STEPS_MS = [10, 50, 120]
const FRESH_MS = [5, 105, 405]
const KEEP_MS = [205, 505]
const LEASE_MS = 155
/** Where time passes by itself as well: what then passes must not reach from a five to a ten. */
const STRETCH = 400

type Numbered = Exclude<BusMessage, { kind: 'lost' }>

/** One series of operations by two sessions, each answer compared with the model's. */
class Series {
  readonly trace: string[] = []
  readonly #world: StoreWorld
  readonly #users: readonly StoreUser[]
  readonly #random: () => number
  readonly #model: StoreModel
  /** What a load has in hand, by name and token. */
  readonly #fences = new Map<string, Fence>()
  readonly #told: readonly Numbered[][]
  readonly #isTold: boolean
  readonly #numbering: Numbering
  readonly #stretch: number

  constructor(world: StoreWorld, users: readonly StoreUser[], random: () => number) {
    this.#world = world
    this.#users = users
    this.#random = random
    this.#model = new StoreModel(world.store.supports.leases)
    this.#told = users.map(() => [])
    this.#isTold = world.store.coherence === 'bus'
    this.#numbering = world.partitioned ? new PartSequences() : new OneSequence(this.#isTold)
    this.#stretch = world.isExact ? 1 : STRETCH
  }

  async run(): Promise<void> {
    this.#numbering.begin(await this.#user(0).read([]))
    const steps = [
      this.#read,
      this.#read,
      this.#load,
      this.#load,
      this.#commit,
      this.#commit,
      this.#set,
      this.#delete,
      this.#stamp,
      this.#renew,
      this.#release,
      this.#wait,
    ]
    for (let at = 0; at < OPERATIONS; at++) await this.#pick(steps).call(this)
    await this.#read()
    if (this.#isTold) await this.#checkMessages()
  }

  async #read(): Promise<void> {
    await this.#lookUp(this.#anyUser(), this.#some(NAMES))
  }

  async #load(): Promise<void> {
    const names = this.#some(NAMES)
    const lease: ModelLeaseRequest = {
      token: this.#pick(TOKENS),
      ms: LEASE_MS * this.#stretch,
      when: this.#pick(['stale', 'stale', 'always'] as const),
    }
    const { sequence, epoch } = await this.#lookUp(this.#anyUser(), names, lease)
    const tags = this.#some(TAGS)
    for (const name of names) {
      const fence = { sequence, epoch, tags }
      const { leases } = this.#world.store.supports
      this.#fences.set(`${name} ${lease.token}`, leases ? { ...fence, token: lease.token } : fence)
    }
  }

  async #lookUp(at: number, names: readonly string[], lease?: ModelLeaseRequest) {
    this.#note(`${at} reads ${names}${lease ? ` leasing ${lease.when} as ${lease.token}` : ''}`)
    const user = this.#user(at)
    const now = this.#now
    const reply = await user.read(names, lease ? { tags: TAGS, lease } : { tags: TAGS })
    const found = reply.records.map(
      (record) => record && [Buffer.from(record.bytes).toString(), record.version],
    )
    const expected = names.map((name) => this.#model.entry(name, now))
    const stamps = TAGS.map((tag, position) => {
      const seen = reply.stamps[position]
      assert.ok(seen && Math.max(seen.hard, seen.soft) <= reply.sequence, 'no stamp of the future')
      return this.#model.stamp(tag, seen)
    })
    assert.deepEqual(
      { found, leases: reply.leases, stamps: reply.stamps },
      {
        found: expected.map((entry) => entry && [entry.content, entry.version]),
        leases: names.map((name) => lease && this.#model.lease(name, lease, now)),
        stamps,
      },
    )
    this.#numbering.read(names, reply)
    return reply
  }

  async #commit(): Promise<void> {
    const [loading, fence] = this.#pick([...this.#fences]) ?? []
    if (loading === undefined || fence === undefined) return
    await this.#write(loading.split(' ')[0] as string, fence)
  }

  async #set(): Promise<void> {
    await this.#write(this.#pick(NAMES))
  }

  async #write(name: string, fence?: Fence): Promise<void> {
    const at = this.#anyUser()
    const user = this.#user(at)
    const freshMs = this.#pick(FRESH_MS) * this.#stretch
    const keepMs = this.#pick(KEEP_MS) * this.#stretch
    const content = `${this.trace.length}`.repeat(1 + Math.floor(this.#random() * 40))
    const how = fence
      ? `commits as ${fence.token} from ${fence.sequence} with ${fence.tags}`
      : 'sets'
    this.#note(`${at} ${how}: ${name}, fresh ${freshMs} ms`)
    const now = this.#now
    const refusals = fence ? this.#refusals(name, fence, now) : []
    const reply = await user.write(name, content, { freshMs, keepMs }, fence)
    if (!reply.stored) {
      assert.ok(refusals.includes(reply.reason), `refused for ${reply.reason}, not [${refusals}]`)
      return
    }
    assert.deepEqual(refusals, [], 'stored although it had to be refused')
    const { version } = reply
    this.#numbering.changed([name], version)
    this.#tell(at, { kind: 'write', key: user.key(name), ...this.#position(version) })
    const [freshUntil, keepUntil] = [now + freshMs, now + keepMs]
    this.#model.stored(name, { content, version, freshUntil, keepUntil })
  }

  async #delete(): Promise<void> {
    const at = this.#anyUser()
    const names = this.#some(NAMES)
    this.#note(`${at} deletes ${names}`)
    const user = this.#user(at)
    const { sequence } = await user.delete(...names)
    this.#numbering.changed(names, sequence)
    const keys = names.map((name) => user.key(name))
    this.#tell(at, { kind: 'delete', keys, ...this.#position(sequence) })
    this.#model.deleted(names)
  }

  async #stamp(): Promise<void> {
    const at = this.#anyUser()
    const tags = this.#some(TAGS)
    const mode: StampMode = this.#pick(['hard', 'soft'] as const)
    this.#note(`${at} stamps ${tags} ${mode}`)
    const { sequence } = await this.#user(at).session.stamp(tags, mode)
    this.#numbering.changed(undefined, sequence)
    this.#tell(at, { kind: 'stamp', tags, mode, ...this.#position(sequence) })
    this.#model.stamped(tags, mode, sequence)
  }

  async #renew(): Promise<void> {
    const at = this.#anyUser()
    const user = this.#user(at)
    const [name, token] = [this.#pick(NAMES), this.#pick(TOKENS)]
    this.#note(`${at} renews ${name} as ${token}`)
    const ms = LEASE_MS * this.#stretch
    const expected = this.#model.renewed(name, token, ms, this.#now)
    assert.equal(await user.session.renew(user.key(name), token, ms), expected, 'renewed')
  }

  async #release(): Promise<void> {
    const at = this.#anyUser()
    const user = this.#user(at)
    const [name, token] = [this.#pick(NAMES), this.#pick(TOKENS)]
    this.#note(`${at} releases ${name} as ${token}`)
    const ours = this.#model.released(name, token, this.#now)
    await user.session.release(user.key(name), token)
    if (!ours) return
    const position = await this.#numbering.released(name, user)
    this.#tell(at, { kind: 'released', key: user.key(name), ...position })
  }

  async #wait(): Promise<void> {
    const ms = this.#pick(STEPS_MS) * this.#stretch
    this.#note(`${ms} ms pass`)
    await this.#world.advance(ms)
  }

  /** The model's time, which stands still while an operation runs. */
  get #now(): number {
    return this.#world.clock.wall()
  }

  /** Where the stamps lie elsewhere, they are left to the reads. */
  #refusals(name: string, fence: Fence, now: number): string[] {
    const reasons = this.#model.refusals(name, fence, now)
    return this.#world.partitioned ? reasons.filter((reason) => reason !== 'tag-changed') : reasons
  }

  #position(sequence: number) {
    return { sequence, epoch: this.#numbering.epoch }
  }

  #tell(sender: number, message: Numbered): void {
    for (const [at, messages] of this.#told.entries()) if (at !== sender) messages.push(message)
  }

  async #checkMessages(): Promise<void> {
    this.#note('at the end: what the sessions were told')
    for (const [at, expected] of this.#told.entries()) {
      const { messages } = this.#user(at)
      await this.#world.eventually(
        () => this.#numbering.count(messages) >= this.#numbering.count(expected),
        `session ${at} was told of ${expected.length} changes (it was of ${messages.length})`,
      )
      this.#numbering.told(messages, expected)
    }
  }

  #note(what: string): void {
    this.trace.push(`${this.trace.length}. ${what}`)
  }

  #anyUser(): number {
    return Math.floor(this.#random() * this.#users.length)
  }

  #user(at: number): StoreUser {
    return this.#users[at] as StoreUser
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)] as T
  }

  /** At least one, in the order of the list. */
  #some<T>(items: readonly T[]): T[] {
    const chosen = items.filter(() => this.#random() < 0.4)
    return chosen.length > 0 ? chosen : [this.#pick(items)]
  }
}

/** Random operations against the model; the seed is in the name and, with the trace, in a failure. */
export function randomBehaviours(seed: number): Behaviour[] {
  return Array.from({ length: SERIES }, (_, at) => ({
    name: `does what the model does in random operations (seed ${seed + at})`,
    async run(world) {
      const series = new Series(world, await world.two(), seededRandom(seed + at))
      try {
        await series.run()
      } catch (cause) {
        const last = series.trace.slice(-SHOWN_IN_A_FAILURE).join('\n')
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new Error(`seed ${seed + at}, after these operations:\n${last}\n${reason}`, { cause })
      }
    },
  }))
}
