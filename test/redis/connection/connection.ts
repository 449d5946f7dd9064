import { FixedDiscovery } from '../../../src/adapters/redis/ioredis/fixed-discovery.ts'
import type { Settings } from '../../../src/adapters/redis/ioredis/settings.ts'
import { openSingleTransport } from '../../../src/adapters/redis/ioredis/single-transport.ts'
import type {
  OpenTransport,
  Transport,
  TransportState,
} from '../../../src/adapters/redis/transport.ts'
import { realClock, realRandom } from '../../../src/kernel/real-clock.ts'
import { until } from '../servers/until.ts'

export function settingsOf(port: number, given: Partial<Settings> = {}): Settings {
  return {
    target: { kind: 'standalone', endpoint: { host: '127.0.0.1', port } },
    credentials: {},
    db: 0,
    prefix: 'rc',
    timeoutMs: 50,
    coherence: 'bus',
    connections: 1,
    maxValueBytes: 1024 * 1024,
    ...given,
  }
}

interface Told extends TransportState {
  /** By `performance.now()`. */
  readonly at: number
}

/** A transport and everything it has told. */
export class Connection {
  readonly transport: Transport
  readonly states: Told[] = []
  readonly messages: string[] = []
  readonly denials: Error[] = []
  subscriptions = 0

  constructor(open: OpenTransport, timeoutMs = 50) {
    this.transport = open(
      { clock: realClock, random: realRandom, timeoutMs },
      {
        onState: (state) => this.states.push({ ...state, at: performance.now() }),
        onMessage: (channel, payload) => this.messages.push(`${channel} ${payload.toString()}`),
        onSubscribed: () => this.subscriptions++,
        onDenied: (error) => this.denials.push(error),
      },
    )
  }

  get state(): Told | undefined {
    return this.states.at(-1)
  }

  /** Waits until it is ready for the nth time, or next. */
  async ready(
    times = this.count('ready') + (this.state?.state === 'ready' ? 0 : 1),
  ): Promise<Told> {
    await until(
      `ready ${times} times`,
      () => this.state?.state === 'ready' && this.count('ready') >= times,
      { everyMs: 1 },
    )
    return this.state as Told
  }

  async down(message: RegExp): Promise<Told> {
    return until(`down: ${message}`, () => {
      const { state } = this
      return state?.state === 'down' && message.test(state.error?.message ?? '') && state
    })
  }

  count(state: TransportState['state']): number {
    return this.states.filter((one) => one.state === state).length
  }

  async send(...commands: (string | number | Uint8Array)[][]): Promise<unknown[]> {
    const replies = await this.transport.send('', commands)
    return replies.map((reply) => (Buffer.isBuffer(reply) ? reply.toString() : reply))
  }
}

export function connect(port: number, given: Partial<Settings> = {}): Connection {
  return new Connection(
    openSingleTransport(
      settingsOf(port, given),
      () => new FixedDiscovery({ host: '127.0.0.1', port }),
    ),
    given.timeoutMs,
  )
}
