import { openClusterTransport } from '../../../src/adapters/redis/ioredis/cluster-transport.ts'
import type { Settings } from '../../../src/adapters/redis/ioredis/settings.ts'
import { KeySpace } from '../../../src/adapters/redis/key-space.ts'
import type { Reply, Transport, TransportState } from '../../../src/adapters/redis/transport.ts'
import { realClock } from '../../../src/kernel/real-clock.ts'
import { seededRandom } from '../../../src/kernel/seeded-random.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { until } from '../servers/until.ts'

export const space = new KeySpace('rc', 'test', true)
export const tags = space.partitions.map((partition) => space.hashTag(partition))

export interface Opened {
  readonly transport: Transport
  readonly states: TransportState[]
  readonly messages: (readonly [channel: string, text: string])[]
  /** How often the subscription began anew. */
  readonly subscribed: { count: number }
  /** Sends to the node that has the tag now; the reply, or what was thrown. */
  ask(hashTag: string, ...command: readonly (string | number)[]): Promise<Reply>
  untilReady(): Promise<void>
}

export function openTransport(
  nodes: readonly RedisProcess[],
  settings: Partial<Settings> = {},
): Opened {
  const states: TransportState[] = []
  const messages: [string, string][] = []
  const subscribed = { count: 0 }
  const open = openClusterTransport({
    target: { kind: 'cluster', nodes: nodes.map(({ host, port }) => ({ host, port })) },
    credentials: {},
    db: 0,
    prefix: 'rc',
    timeoutMs: 50,
    coherence: 'bus',
    connections: 1,
    maxValueBytes: 1_000_000,
    ...settings,
  })
  const transport = open(
    { clock: realClock, random: seededRandom(1), timeoutMs: settings.timeoutMs ?? 50 },
    {
      onState: (state) => states.push(state),
      onMessage: (channel, payload) => messages.push([channel, payload.toString()]),
      onSubscribed: () => {
        subscribed.count++
      },
    },
  )
  async function ask(hashTag: string, ...command: readonly (string | number)[]): Promise<Reply> {
    try {
      const [reply] = await transport.send(transport.nodeOf(hashTag), [command])
      return reply as Reply
    } catch (error) {
      // There may be no connection at all: whoever asks again and again must not keep the event loop
      // from making one.
      await new Promise((resolve) => setImmediate(resolve))
      return error as Error
    }
  }
  return {
    transport,
    states,
    messages,
    subscribed,
    ask,
    untilReady: async () => {
      await until('the transport is ready', () => states.at(-1)?.state === 'ready')
    },
  }
}

export const isError = (reply: unknown): reply is Error => reply instanceof Error

/** What every tag answers to a write followed by a read; errors as they are. */
export async function roundTrips(opened: Opened): Promise<Error[]> {
  const replies = await Promise.all(
    tags.map((tag) => opened.ask(tag, 'SET', `rc:${tag}:probe`, 'x', 'PX', 60_000)),
  )
  return replies.filter(isError)
}

export async function untilAllServe(opened: Opened, withinMs = 10_000): Promise<void> {
  await until('all tags are served', async () => (await roundTrips(opened)).length === 0, {
    withinMs,
  })
}
