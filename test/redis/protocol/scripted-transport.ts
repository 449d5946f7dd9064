import { RedisSession } from '../../../src/adapters/redis/redis-session.ts'
import { LEASE, READ, RESET, WRITE } from '../../../src/adapters/redis/scripts.ts'
import type { SessionSettings } from '../../../src/adapters/redis/session-settings.ts'
import type {
  BusKind,
  Command,
  Reply,
  Transport,
  TransportEvents,
  TransportState,
} from '../../../src/adapters/redis/transport.ts'
import { seededRandom } from '../../../src/kernel/seeded-random.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { type Told, watched } from './watched.ts'

export interface Sent {
  readonly node: string
  readonly commands: readonly Command[]
}

export const EPOCH = 77
export const SERVER_NOW = 5_000_000

/** Buffers where a server would send them. */
export const bytes = (text: string): Buffer => Buffer.from(text)

/** A server that answers by rule, and remembers what it was sent. */
export class ScriptedTransport implements Transport {
  isClustered = false
  bus: BusKind = 'plain'
  readonly sent: Sent[] = []
  readonly subscribed: (readonly string[])[] = []
  /** Where every sequence stands. */
  epoch = EPOCH
  number = 10
  closed = 0
  /** Takes the place of the usual answer, unless it gives `undefined`. */
  answer: (command: Command, node: string) => Reply | undefined = () => undefined
  /** Takes the place of all answers of a node. */
  fail: (node: string) => Error | undefined = () => undefined
  nodes: (hashTag: string) => string = () => 'one'
  events!: TransportEvents

  nodeOf(hashTag: string): string {
    return this.nodes(hashTag)
  }

  async send(node: string, commands: readonly Command[]): Promise<readonly Reply[]> {
    this.sent.push({ node, commands })
    const failure = this.fail(node)
    if (failure) throw failure
    return commands.map((command) => this.answer(command, node) ?? this.#usual(command))
  }

  subscribe(channels: readonly string[]): void {
    this.subscribed.push(channels)
  }

  async close(): Promise<void> {
    this.closed++
  }

  state(state: Partial<TransportState>): void {
    this.events.onState({ state: 'ready', source: 'standalone', ...state })
  }

  publish(text: string): void {
    this.events.onMessage('channel', Buffer.from(text))
  }

  /** What was sent since the last call. */
  take(): Sent[] {
    return this.sent.splice(0)
  }

  #usual([name, what, ...rest]: Command): Reply {
    switch (name) {
      case 'HMGET':
        return [bytes(String(this.epoch)), bytes(String(this.number))]
      case 'TIME':
        return [bytes(String(SERVER_NOW / 1000)), bytes('0')]
      case 'MGET':
        return [what, ...rest].map(() => null)
      case 'HINCRBY':
        return ++this.number
      case 'EVALSHA':
      case 'EVAL':
        return this.#script(what, rest)
      default:
        return bytes('OK')
    }
  }

  #script(what: unknown, rest: readonly unknown[]): Reply {
    if (what === RESET.sha || what === RESET.source) {
      this.epoch = Number(rest[2])
      this.number = 0
      return bytes(String(this.epoch))
    }
    if (what === WRITE.sha || what === WRITE.source) return [bytes(String(++this.number))]
    if (what === READ.sha || what === READ.source) {
      const names = Number(rest[0])
      const [keys, tags] = [Number(rest[names + 2]), Number(rest[names + 3])]
      const asked = rest[names + 4] !== ''
      const number = bytes(String(this.number))
      return [
        bytes(String(this.epoch)),
        number,
        bytes(String(SERVER_NOW)),
        ...Array.from({ length: keys }, () => [null, asked ? 1 : 0, null]).flat(),
        ...Array.from({ length: tags * 2 }, () => number),
      ]
    }
    if (what === LEASE.sha || what === LEASE.source) {
      const names = Number(rest[0])
      const [keys, tags] = [Number(rest[names + 2]), Number(rest[names + 3])]
      const number = bytes(String(this.number))
      return [
        bytes(String(this.epoch)),
        number,
        bytes(String(SERVER_NOW)),
        Array.from({ length: keys }, (_, at) => [at + 1, 1, null]).flat(),
        ...Array.from({ length: tags * 2 }, () => number),
      ]
    }
    return bytes(String(++this.number))
  }
}

export interface Opened extends Told {
  readonly session: RedisSession
  readonly transport: ScriptedTransport
  readonly clock: FakeClock
}

/** A session whose transport says nothing yet. */
export function open(
  settings: Partial<SessionSettings> = {},
  prepare: (transport: ScriptedTransport) => void = () => {},
): Opened {
  const transport = new ScriptedTransport()
  prepare(transport)
  const clock = new FakeClock(1000)
  const told = watched()
  const session = new RedisSession(
    { clock, random: seededRandom(7), space: 'app', ...told.listeners },
    (_world, events) => {
      transport.events = events
      return transport
    },
    { prefix: 'rc', timeoutMs: 50, coherence: 'bus', maxValueBytes: 100, ...settings },
  )
  return { session, transport, clock, ...told }
}

/** A session that serves, with nothing left of how it came to. */
export async function openReady(
  settings: Partial<SessionSettings> = {},
  prepare?: (transport: ScriptedTransport) => void,
): Promise<Opened> {
  const opened = open(settings, prepare)
  opened.transport.state({ lineage: 'first' })
  await opened.clock.advance(0)
  opened.transport.events.onSubscribed()
  await opened.clock.advance(0)
  opened.transport.take()
  return opened
}

export const names = (commands: readonly Command[]): unknown[] => commands.map(([name]) => name)
