import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { redis } from '../../../src/redis.ts'
import { memory } from '../../../src/stores/memory-store.ts'
import { freePort, releasePort } from '../servers/ports.ts'
import { type FaultProxy, type ProxyOptions, startProxy } from '../servers/proxy.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { type Replicated, type ReplicatedOptions, startReplicated } from '../servers/replicated.ts'
import { type SentinelOptions, type Sentinels, startSentinels } from '../servers/sentinels.ts'
import { type ServerOptions, startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'
import { Rig, type RigOptions } from './rig.ts'

let isWarm = false

/** Code that runs for the first time is slower by more than the bounds: not a matter of the fault. */
async function warmUp(): Promise<void> {
  if (isWarm) return
  isWarm = true
  const port = await freePort()
  for (const l2 of [() => memory(), () => redis({ url: `redis://127.0.0.1:${port}` })]) {
    const rig = new Rig({ l2 })
    await rig.load({ while: () => sleep(300) })
    await rig.close()
  }
  releasePort(port)
}

/**
 * A test of one fault of the catalogue (README.md). What it starts through its bed is stopped in
 * reverse order, whatever becomes of it; afterwards no error may have escaped, and sockets, timers
 * and listeners of the process have to be where they were before.
 */
export function fault(name: string, run: (bed: Bed) => Promise<void>, timeoutMs = 60_000): void {
  it(
    `fault ${name}`,
    async () => {
      await warmUp()
      const bed = new Bed(name.split(' ')[0]?.replace(':', '') ?? '')
      try {
        await run(bed)
      } finally {
        await bed.clear()
      }
      await bed.leavesNothing()
    },
    timeoutMs,
  )
}

/** What a test stands on: processes, proxies, caches, and what they leave behind. */
export class Bed {
  readonly #number: string
  readonly #ends: (() => unknown)[] = []
  readonly #escaped: unknown[] = []
  readonly #sockets = new Set<WeakRef<Socket>>()
  readonly #listeners = listenerCounts()
  readonly #resources = resourceCounts()
  readonly #note = (error: unknown) => void this.#escaped.push(error)
  readonly #opened = (message: unknown) => {
    this.#sockets.add(new WeakRef((message as { socket: Socket }).socket))
  }

  constructor(number: string) {
    this.#number = number
    process.on('unhandledRejection', this.#note)
    process.on('uncaughtExceptionMonitor', this.#note)
    subscribe('net.client.socket', this.#opened)
  }

  /** Stops it at the end, the last first. */
  after(end: () => unknown): void {
    this.#ends.push(end)
  }

  async server(options?: ServerOptions): Promise<RedisProcess> {
    const server = await startServer(options)
    this.after(() => server.stop())
    return server
  }

  async replicated(options?: ReplicatedOptions): Promise<Replicated> {
    const group = await startReplicated(options)
    this.after(() => group.stop())
    return group
  }

  async sentinels(master: RedisProcess, options?: SentinelOptions): Promise<Sentinels> {
    const group = await startSentinels(master, options)
    this.after(() => group.stop())
    return group
  }

  async proxy(target: ProxyOptions['target'], port?: number): Promise<FaultProxy> {
    const proxy = await startProxy({ target, ...(port !== undefined && { port }) })
    this.after(() => proxy.stop())
    return proxy
  }

  /** Nobody listens there. */
  async port(): Promise<number> {
    const port = await freePort()
    this.after(() => releasePort(port))
    return port
  }

  /** Caches under load, see `Rig`. */
  rig(options: RigOptions): Rig {
    const rig = new Rig(options)
    this.after(() => rig.close())
    return rig
  }

  /** One line with the figures of the test. */
  say(figures: string): void {
    process.stdout.write(`fault ${this.#number}: ${figures}\n`)
  }

  /** For `fault`: ends all, also where ending one fails. */
  async clear(): Promise<void> {
    const failures: unknown[] = []
    for (const end of this.#ends.splice(0).reverse()) {
      try {
        await end()
      } catch (error) {
        failures.push(error)
      }
    }
    process.off('unhandledRejection', this.#note)
    process.off('uncaughtExceptionMonitor', this.#note)
    unsubscribe('net.client.socket', this.#opened)
    if (failures.length > 0) throw new AggregateError(failures, 'could not clear up')
  }

  /** For `fault`: I2 and I7. */
  async leavesNothing(): Promise<void> {
    await until('every socket is closed', () => this.#open().length === 0, { withinMs: 2_000 })
    await until(
      'timers and servers are those of the beginning',
      () => {
        const now = resourceCounts()
        for (const [kind, count] of now) {
          const before = this.#resources.get(kind) ?? 0
          if (count > before) throw new Error(`${count} of ${kind} instead of ${before}`)
        }
        return true
      },
      { withinMs: 2_000 },
    )
    expect(listenerCounts(), 'listeners of the process').toEqual(this.#listeners)
    expect(this.#escaped, 'errors that escaped').toEqual([])
  }

  #open(): Socket[] {
    return [...this.#sockets].flatMap((ref) => {
      const socket = ref.deref()
      return socket && !socket.destroyed ? [socket] : []
    })
  }
}

/** Kept alive by whoever started it: not counted are the pipes to processes and the runner's own. */
function resourceCounts(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) {
    if (!/^(Timeout|Immediate|TCP|TLS|GetAddrInfo)/.test(kind)) continue
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}

/** Not those for its end: tools of the tests add one when they are first used. */
function listenerCounts(): Record<string, number> {
  const names = process.eventNames().filter((name) => name !== 'exit')
  return Object.fromEntries(names.map((name) => [String(name), process.listenerCount(name)]))
}
