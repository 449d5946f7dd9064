import { describe, expect, it } from 'vitest'
import { asBottleneckExpects } from '../../src/adapters/bottleneck/hardened-connection.ts'
import { Job } from '../../src/adapters/bottleneck/job.ts'
import { limiterSettings } from '../../src/adapters/bottleneck/limiter-options.ts'
import { StoreWatch } from '../../src/adapters/bottleneck/store-watch.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

describe('a job', () => {
  it('runs once, whatever its copies do', async () => {
    let runs = 0
    const left: string[] = []
    const listener = {
      left: (job: Job) => left.push(job.state),
      ended: (job: Job) => left.push(job.state),
    }
    const job = new Job(() => ++runs, undefined, listener)
    await Promise.all([job.claim(), job.claim()])
    await job.claim()
    job.refuse(new Error('late'))
    expect([await job.promise, runs, left]).toEqual([1, 1, ['running', 'ended']])
  })

  it('is not run after it was refused', async () => {
    let runs = 0
    const job = new Job(() => ++runs, undefined, { left() {}, ended() {} })
    job.refuse(new Error('full'))
    await job.claim()
    await expect(job.promise).rejects.toThrow('full')
    expect(runs).toBe(0)
  })
})

describe('errors of scripts', () => {
  it.each([
    ['ERR SETTINGS_KEY_NOT_FOUND', 'SETTINGS_KEY_NOT_FOUND'],
    ['SETTINGS_KEY_NOT_FOUND', 'SETTINGS_KEY_NOT_FOUND'],
    ['ERR UNKNOWN_CLIENT', 'UNKNOWN_CLIENT'],
    ['ERR UNKNOWN_CLIENT script: 3f2a, on @user_script:14.', 'UNKNOWN_CLIENT'],
    ['ERR OVERWEIGHT:5:2', 'OVERWEIGHT:5:2'],
    ['READONLY You cannot write', 'READONLY You cannot write'],
    ['ERR something else', 'ERR something else'],
  ])('%s reads as %s', (message, expected) => {
    expect(asBottleneckExpects(message)).toBe(expected)
  })
})

describe('the settings', () => {
  it('of the shared limiter look at a reservoir in time', () => {
    const shared = (options: object) => limiterSettings(options, {}).shared.heartbeatInterval
    expect(shared({ reservoirRefreshInterval: 1000, reservoirRefreshAmount: 10 })).toBe(250)
    expect(shared({ reservoirIncreaseInterval: 1000 })).toBe(250)
    expect(shared({ maxConcurrent: 5 })).toBe(1000)
    expect(shared({ heartbeatInterval: 3000 })).toBe(3000)
  })

  it('of the local one leave out the store, and take the share that was named', () => {
    const options = { datastore: 'ioredis', clientOptions: {}, maxConcurrent: 10, minTime: 5 }
    expect(limiterSettings(options, { local: { maxConcurrent: 2 } }).local).toEqual({
      datastore: 'local',
      maxConcurrent: 2,
      minTime: 5,
    })
  })
})

describe('the watch over the store', () => {
  function make() {
    const clock = new FakeClock()
    const log: string[] = []
    const answers: { resolve(): void; reject(error: Error): void }[] = []
    let isWanted = true
    const store = {
      probe: () =>
        new Promise<void>((resolve, reject) => {
          log.push(`probe at ${clock.now()}`)
          answers.push({ resolve, reject })
        }),
      isWanted: () => isWanted,
      onLost: () => log.push(`lost at ${clock.now()}`),
      onBack: () => log.push(`back at ${clock.now()}`),
    }
    const watch = new StoreWatch(store, clock, 2000)
    const want = (wanted: boolean) => {
      isWanted = wanted
      if (wanted) watch.wake()
      else watch.rest()
    }
    return { clock, log, answers, watch, want }
  }

  it('asks while jobs wait, and never otherwise', async () => {
    const { clock, log, answers, watch, want } = make()
    want(true)
    answers[0]?.resolve()
    await clock.advance(499)
    expect([log, watch.state]).toEqual([['probe at 0'], 'ready'])
    await clock.advance(1)
    expect(log).toEqual(['probe at 0', 'probe at 500'])
    want(false)
    answers[1]?.resolve()
    await clock.advance('1m')
    expect([log, clock.pending]).toEqual([['probe at 0', 'probe at 500'], 0])
  })

  it('is sure before a job has waited for the whole time, whenever it came', async () => {
    for (const comesAt of [0, 100, 499, 500, 501]) {
      const { clock, log, answers, want } = make()
      want(true)
      answers[0]?.resolve()
      await clock.advance(comesAt)
      want(true)
      await clock.advance(2000)
      const lost = log.find((line) => line.startsWith('lost'))
      expect(Number(lost?.split(' ').at(-1)) - comesAt).toBeLessThanOrEqual(2000)
    }
  })

  it('has no second question open at a store that hangs, and knows when the first is answered', async () => {
    const { clock, log, answers, watch, want } = make()
    want(true)
    await clock.advance(1500)
    for (let n = 0; n < 5; n++) want(true)
    expect([log, watch.state, clock.pending]).toEqual([['probe at 0', 'lost at 1500'], 'lost', 0])
    answers[0]?.resolve()
    await clock.advance(0)
    expect([log.at(-1), watch.state]).toEqual(['back at 1500', 'ready'])
  })

  it('watches a job that comes while an old question is open', async () => {
    const { clock, log, want } = make()
    want(true)
    want(false)
    await clock.advance('10s')
    want(true)
    await clock.advance(1500)
    expect(log).toEqual(['probe at 0', 'lost at 11500'])
  })

  it('takes an error for an answer of the wrong kind: lost, and asked again by the next job', async () => {
    const { clock, log, answers, watch, want } = make()
    want(true)
    answers[0]?.reject(new Error('READONLY'))
    await clock.advance(0)
    expect(watch.state).toBe('lost')
    want(true)
    answers[1]?.reject(new Error('READONLY'))
    await clock.advance(0)
    want(true)
    answers[2]?.resolve()
    await clock.advance(0)
    expect(log).toEqual(['probe at 0', 'lost at 0', 'probe at 0', 'probe at 0', 'back at 0'])
  })

  it('says nothing after its end', async () => {
    const { clock, log, answers, watch, want } = make()
    want(true)
    watch.stop()
    answers[0]?.reject(new Error('Connection is closed.'))
    await clock.advance('10s')
    expect([log, clock.pending]).toEqual([['probe at 0'], 0])
  })
})
