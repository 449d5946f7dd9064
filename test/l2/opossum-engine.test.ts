import { spawnSync } from 'node:child_process'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadOpossum, OpossumEngine } from '../../src/adapters/redis/opossum-engine.ts'
import type { Store } from '../../src/contracts/store.ts'
import { memory } from '../../src/index.ts'
import { ResilienceError } from '../../src/kernel/errors.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { aWorld, endWorldsAfterEach } from '../read-path/fixture.ts'

endWorldsAfterEach()

const engines: OpossumEngine[] = []

function anEngine(kind: 'read' | 'write'): OpossumEngine {
  const engine = new OpossumEngine(kind)
  engines.push(engine)
  return engine
}

beforeAll(async () => {
  await loadOpossum()
})

afterEach(() => {
  for (const engine of engines.splice(0)) engine.shutdown()
})

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('the engine on opossum', () => {
  it('opens at the fifth failure in a row, at once', () => {
    const engine = anEngine('read')
    for (let i = 0; i < 4; i++) engine.failed(new Error('refused'))
    expect(engine.isOpen).toBe(false)
    engine.failed(new Error('refused'))
    expect(engine.isOpen).toBe(true)
  })

  it('never opens for a rate of failures, which opossum does at once', async () => {
    const engine = anEngine('read')
    for (let i = 0; i < 100; i++) {
      for (let j = 0; j < 4; j++) engine.failed(new Error('refused'))
      engine.succeeded()
    }
    await settled()
    expect(engine.isOpen).toBe(false)
  })

  it('counts anew after it was closed', () => {
    const engine = anEngine('write')
    for (let i = 0; i < 5; i++) engine.failed(new Error('refused'))
    engine.close()
    for (let i = 0; i < 4; i++) engine.failed(new Error('refused'))
    expect(engine.isOpen).toBe(false)
    engine.failed(new Error('refused'))
    expect(engine.isOpen).toBe(true)
  })

  it('shows its state and its counts by opossum', async () => {
    const engine = anEngine('read')
    const seen: string[] = []
    for (const name of ['open', 'close', 'failure', 'success'] as const) {
      engine.breaker?.on(name as 'open', () => seen.push(name))
    }
    engine.succeeded()
    await settled()
    for (let i = 0; i < 5; i++) engine.failed(new Error('refused'))
    engine.close()
    expect(seen).toEqual(['success', ...Array(5).fill('failure'), 'open', 'close'])
    expect(engine.breaker?.stats).toMatchObject({ successes: 1, failures: 5, rejects: 0 })
  })

  const OF_ONE_OPERATION = [
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    'NOSCRIPT No matching script',
    "CROSSSLOT Keys in request don't hash to the same slot",
  ]
  const OF_WRITES = [
    "OOM command not allowed when used memory > 'maxmemory'.",
    'MISCONF Redis is configured to save RDB snapshots',
    'NOREPLICAS Not enough good replicas to write.',
    "READONLY You can't write against a read only replica.",
    "ERR Error running script (call to f_1): @user_script:5: -OOM command not allowed when used memory > 'maxmemory'.",
  ]
  const OF_BOTH = [
    'LOADING Redis is loading the dataset in memory',
    'BUSY Redis is busy running a script',
    'Connection is closed.',
    'ERR unknown',
  ]

  it.each([
    ...OF_ONE_OPERATION.map((message) => [message, 'read', false] as const),
    ...OF_ONE_OPERATION.map((message) => [message, 'write', false] as const),
    ...OF_WRITES.map((message) => [message, 'read', false] as const),
    ...OF_WRITES.map((message) => [message, 'write', true] as const),
    ...OF_BOTH.map((message) => [message, 'read', true] as const),
    ...OF_BOTH.map((message) => [message, 'write', true] as const),
  ])('%s, of a %s: opens it: %s', (message, kind, opens) => {
    for (const error of [
      new Error(message),
      new ResilienceError('ERR_L2_UNAVAILABLE', 'wrapped', { cause: new Error(message) }),
    ]) {
      const engine = anEngine(kind)
      for (let i = 0; i < 10; i++) engine.failed(error)
      expect(engine.isOpen).toBe(opens)
    }
  })

  it('takes an answer that refuses one operation as one in a row, and a value too large as none', () => {
    const engine = anEngine('write')
    for (let i = 0; i < 4; i++) engine.failed(new Error('refused'))
    engine.failed(new ResilienceError('ERR_UNSERIALIZABLE', 'too large'))
    engine.failed(new Error('refused'))
    expect(engine.isOpen).toBe(true)
    engine.close()
    for (let i = 0; i < 4; i++) engine.failed(new Error('refused'))
    engine.failed(new Error('WRONGTYPE'))
    for (let i = 0; i < 4; i++) engine.failed(new Error('refused'))
    expect(engine.isOpen).toBe(false)
  })

  it('does not keep a process alive, open or closed', () => {
    const path = new URL('../../src/adapters/redis/opossum-engine.ts', import.meta.url).href
    const program = `
      const { OpossumEngine } = await import(${JSON.stringify(path)})
      for (const failures of [0, 5]) {
        const engine = new OpossumEngine('read')
        for (let i = 0; i < failures; i++) engine.failed(new Error('refused'))
      }`
    const args = ['--input-type=module', '--eval', program]
    const ended = spawnSync(process.execPath, args, { timeout: 10_000, encoding: 'utf8' })
    expect(ended).toMatchObject({ status: 0, signal: null })
  })
})

describe('before opossum is loaded', () => {
  it('failures count all the same, and it takes over what they did', () => {
    const path = new URL('../../src/adapters/redis/opossum-engine.ts', import.meta.url).href
    const program = `
      const { loadOpossum, OpossumEngine } = await import(${JSON.stringify(path)})
      const engine = new OpossumEngine('read')
      const seen = []
      const look = () => seen.push([engine.breaker?.opened, engine.isOpen])
      for (let i = 0; i < 4; i++) engine.failed(new Error('refused'))
      look()
      engine.failed(new Error('refused'))
      look()
      await loadOpossum()
      await null
      look()
      engine.close()
      look()
      console.log(JSON.stringify(seen))`
    const args = ['--input-type=module', '--eval', program]
    const { stdout } = spawnSync(process.execPath, args, { timeout: 10_000, encoding: 'utf8' })
    expect(JSON.parse(stdout)).toEqual([
      [null, false],
      [null, true],
      [true, true],
      [false, false],
    ])
  })
})

describe('a store that brings its engine', () => {
  it('is left alone while it is open, and its engine hears nothing until a probe closes it', async () => {
    const world = aWorld()
    const made: OpossumEngine[] = []
    const chaos = chaosStore(memory(), { throws: 1 })
    const l2: Store = Object.create(chaos, {
      breaker: {
        value: (kind: 'read' | 'write') => {
          const engine = anEngine(kind)
          made.push(engine)
          return engine
        },
      },
    })
    const cache = world.cache({ l2 })
    for (let i = 0; i < 20; i++) await cache.get(`k${i}`)
    const read = made[0]?.breaker
    expect(read?.opened).toBe(true)
    expect(read?.stats).toMatchObject({ fires: 5, failures: 5, rejects: 0 })
    expect(cache.health().l2.breaker).toEqual({ read: 'open', write: 'closed' })
    chaos.set({ throws: 0 })
    await world.clock.advance('1s')
    expect(read?.closed).toBe(true)
    expect(cache.health().l2.breaker.read).toBe('closed')
    await cache.close()
    expect(made.map(({ breaker }) => breaker?.isShutdown)).toEqual([true, true])
  })
})
