import assert from 'node:assert/strict'
import type {
  BusMessage,
  Fence,
  LeaseRequest,
  ReadReply,
  StoreSession,
  StoreSupport,
  WriteReply,
} from '../contracts/store.ts'
import type { FakeClock } from './fake-clock.ts'

export type Content = Uint8Array | string

export interface Lifetime {
  readonly freshMs?: number
  readonly keepMs?: number
}

/** How long the leases of the suite last where a behaviour does not say otherwise. */
export const LEASE_MS = 20_000

/** A session as the suite uses it: names instead of prefixed keys, milliseconds instead of instants. */
export class StoreUser {
  readonly session: StoreSession
  readonly space: string
  /** What the session was told so far. */
  readonly messages: readonly BusMessage[]
  readonly supports: StoreSupport
  readonly #clock: FakeClock
  #offset = 0

  constructor(
    session: StoreSession,
    space: string,
    messages: readonly BusMessage[],
    supports: StoreSupport,
    clock: FakeClock,
  ) {
    this.session = session
    this.space = space
    this.messages = messages
    this.supports = supports
    this.#clock = clock
  }

  /** Learns how far the store's time is from the clock's. */
  async synchronise(): Promise<void> {
    this.#offset = (await this.read([])).now - this.#clock.wall()
  }

  get now(): number {
    return this.#clock.wall() + this.#offset
  }

  key(name: string): string {
    return `${this.space}:${name}`
  }

  read(
    names: readonly string[],
    { tags = [], lease }: { tags?: readonly string[]; lease?: LeaseRequest } = {},
  ): Promise<ReadReply> {
    const keys = names.map((name) => this.key(name))
    return this.session.read(lease ? { keys, tags, lease } : { keys, tags })
  }

  /** The bytes as text. */
  async get(name: string): Promise<string | undefined> {
    const bytes = (await this.read([name])).records[0]?.bytes
    return bytes && Buffer.from(bytes).toString()
  }

  write(
    name: string,
    content: Content,
    { freshMs = 60_000, keepMs = 120_000 }: Lifetime = {},
    fence?: Fence,
  ): Promise<WriteReply> {
    const request = {
      key: this.key(name),
      bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content,
      freshUntil: this.now + freshMs,
      keepUntil: this.now + keepMs,
    }
    return this.session.write(fence ? { ...request, fence } : request)
  }

  /** A write without fence; the version it got. */
  async set(name: string, content: Content, lifetime?: Lifetime): Promise<number> {
    const reply = await this.write(name, content, lifetime)
    assert.ok(reply.stored, 'a write without fence is stored, whatever was done before')
    return reply.version
  }

  commit(name: string, content: Content, fence: Fence, lifetime?: Lifetime): Promise<WriteReply> {
    return this.write(name, content, lifetime, fence)
  }

  delete(...names: string[]): Promise<{ readonly sequence: number }> {
    return this.session.delete(names.map((name) => this.key(name)))
  }

  async lease(
    name: string,
    token: string,
    { when = 'stale', ms = LEASE_MS }: Partial<Omit<LeaseRequest, 'token'>> = {},
  ): Promise<'granted' | 'held' | undefined> {
    return (await this.read([name], { lease: { token, ms, when } })).leases[0]
  }

  /** Begins a load: the read before the origin is called, and the fence of the commit that follows. */
  async begin(name: string, token: string, tags: readonly string[] = []): Promise<Fence> {
    const lease: LeaseRequest = { token, ms: LEASE_MS, when: 'always' }
    const { leases, sequence, epoch } = await this.read([name], { tags, lease })
    if (!this.supports.leases) return { sequence, epoch, tags }
    assert.equal(leases[0], 'granted', 'a key that nobody else holds is leased')
    return { token, sequence, epoch, tags }
  }
}

export function assertBytes(actual: unknown, expected: Uint8Array, what: string): void {
  assert.ok(actual instanceof Uint8Array, `${what}: bytes are an Uint8Array`)
  assert.ok(
    Buffer.compare(actual, expected) === 0,
    `${what}: ${actual.length} bytes came back that differ from the ${expected.length} written`,
  )
}
