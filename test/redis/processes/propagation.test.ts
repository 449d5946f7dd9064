import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { percentile } from '../servers/load.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'
import { startWorkers, type Worker } from './crew.ts'
import type { Messages } from './questions.ts'

const ROUNDS = 500
const BOUND_MS = 1300

describe('one process that writes and nine that read', () => {
  let server: RedisProcess
  let workers: Worker[]
  beforeAll(async () => {
    ;[server, workers] = await Promise.all([startServer(), startWorkers(10)])
    await server.cli('ACL', 'SETUSER', 'mute', 'on', '>mute', '~*', '&*', '+@all', '-publish')
  })
  afterAll(async () => {
    await Promise.all((workers ?? []).map((worker) => worker.stop()))
    await server?.stop()
  })

  it.each([
    ['set', 'write'],
    ['delete', 'delete'],
    ['invalidateTag', 'stamp'],
  ])('are told of each %s, typically within 5 ms', async (what, kind) => {
    const [writer, ...readers] = workers as [Worker, ...Worker[]]
    const place = { name: `told-${kind}`, url: server.url }
    await Promise.all(workers.map((worker) => worker.open(place)))
    await until('all listen', async () => {
      const [, count] = await server.cli<[string, number]>(
        'PUBSUB',
        'NUMSUB',
        `rc:{${place.name}}:bus`,
      )
      return count === 10
    })
    const begun = await writer.ask<number[]>('change', { rounds: ROUNDS, kind })
    const told = await until('all are told', async () => {
      const all = await Promise.all(readers.map((reader) => reader.ask<Messages>('messages')))
      return all.every((one) => one[kind]?.length === ROUNDS) && all
    })
    const times = told.flatMap((one) => (one[kind] ?? []).map((at, n) => at - (begun[n] as number)))
    const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)]
    process.stdout.write(
      `${what}: told to 9 processes, ${ROUNDS} rounds: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms\n`,
    )
    expect(told.flatMap((one) => one.lost ?? [])).toEqual([])
    expect(times.every((ms) => ms > 0)).toBe(true)
    expect(p50).toBeLessThan(5)
  })

  async function longestStale(writer: Worker, readers: Worker[], kind: string): Promise<number> {
    let worst = 0
    for (let round = 0; round < 3; round++) {
      const keys = Array.from({ length: 20 }, (_, at) => `${kind}-${at}`)
      const value = `${kind} ${round}`
      await Promise.all(readers.map((reader) => reader.ask('fill', { keys })))
      const since = await writer.ask<number>('invalidate', { keys, value, kind })
      const asked = { keys, value, since }
      const seen = await Promise.all(
        readers.map((reader) => reader.ask<{ staleMs: number; lagMs: number }>('watch', asked)),
      )
      for (const { staleMs, lagMs } of seen) {
        expect(staleMs).toBeLessThan(BOUND_MS + Math.max(0, lagMs))
        worst = Math.max(worst, staleMs)
      }
    }
    return worst
  }

  it.each([
    ['all messages are heard', 'default'],
    ['all messages are lost', 'mute'],
    ['subscriptions are killed all the time', 'killed'],
  ])('never see an old value 1.3 s after it was changed: %s', async (what, mode) => {
    const [writer, ...readers] = workers as [Worker, ...Worker[]]
    const name = `stale-${mode}`
    const { port, url } = server
    const place = { name, url, truthUrl: url }
    const writerUrl = mode === 'mute' ? `redis://mute:mute@127.0.0.1:${port}` : url
    await writer.open({ ...place, url: writerUrl })
    await Promise.all(readers.map((reader) => reader.open(place)))
    const killer =
      mode === 'killed'
        ? setInterval(
            () => void server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub').catch(() => {}),
            100,
          )
        : undefined
    const figures: string[] = []
    try {
      for (const kind of ['write', 'delete', 'stamp']) {
        const worst = await longestStale(writer, readers, kind)
        figures.push(`${kind} ${Math.round(worst)} ms`)
      }
      const told = await Promise.all(readers.map((reader) => reader.ask<Messages>('messages')))
      // Readers tell each other of what they load; the writer that is mute tells nobody.
      if (mode === 'mute') expect(told.flatMap((one) => one.stamp ?? [])).toEqual([])
    } finally {
      clearInterval(killer)
    }
    process.stdout.write(
      `${what}: the longest that an old value was served: ${figures.join(', ')}\n`,
    )
  })
})
