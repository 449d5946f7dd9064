import { describe, expect, it } from 'vitest'
import { memory, type Store } from '../../src/index.ts'
import { chaosStore } from '../../src/testing/chaos-store.ts'
import { aWorld, codeOf, endWorldsAfterEach, Origin, settle, watch } from '../read-path/fixture.ts'

endWorldsAfterEach()

class Order {
  readonly id = 1
}

describe('a value that was set by hand', () => {
  it('is not served after another process has invalidated it, even when the origin fails', async () => {
    const world = aWorld()
    const store = memory()
    const process = (l2: Store) => {
      const origin = new Origin()
      const cache = world.cache({ l2, grace: '1h' })
      return { origin, get: cache.cached(origin.load, { name: 'fn' }) }
    }
    const { source, supports, timeoutMs } = store
    // It is told nothing of what the other does.
    const deaf: Store = {
      source,
      supports,
      timeoutMs,
      coherence: 'ttl-only',
      open: ({ onMessage: _, ...context }) => store.open(context),
    }
    const one = process(deaf)
    const other = process(store)
    await one.get.set(['a'], 'old')
    await other.get.invalidate('a')
    await world.clock.advance('6s')
    const read = watch(one.get('a'))
    await settle()
    await one.origin.fail(new Error('down'))
    expect(read.error).toMatchObject({ message: 'down' })
  })

  it('is stored as it was when it was set', async () => {
    const world = aWorld()
    const store = memory()
    const [one, other] = [world.cache({ l2: store }), world.cache({ l2: store })]
    const bytes = Buffer.from('first')
    const done = one.set('k', bytes)
    bytes.write('later')
    await done
    expect(await other.get('k')).toEqual(Buffer.from('first'))
  })

  it('is not durable when L2 cannot carry it, and leaves no older value there', async () => {
    const world = aWorld()
    const store = memory()
    const [one, other] = [world.cache({ l2: store }), world.cache({ l2: store })]
    await one.set('k', 'older')
    expect(await one.set('k', new Order())).toEqual({ durable: false })
    await settle()
    expect(await other.get('k')).toBeUndefined()
    expect(await one.get('k')).toBeInstanceOf(Order)
  })

  it('is an error with strict when L2 cannot carry it', async () => {
    const cache = aWorld().cache({ l2: memory(), strict: true })
    expect(await codeOf(cache.set('k', new Order()))).toBe('ERR_L2_UNAVAILABLE')
  })
})

describe('a slow get', () => {
  it('does not put back what was promoted meanwhile', async () => {
    const world = aWorld()
    const store = memory()
    const chaos = chaosStore(store)
    const [one, other] = [world.cache({ l2: chaos }), world.cache({ l2: store })]
    await other.set('k', 'v1')
    await world.clock.advance(10)
    chaos.set({ delay: 20 })
    const slow = watch(one.get('k'))
    await settle()
    chaos.set({ delay: 0 })
    await other.set('k', 'v2')
    await settle()
    expect(await one.get('k')).toBe('v2')
    await world.clock.advance(30)
    expect(slow.state).toBe('fulfilled')
    expect(await one.get('k')).toBe('v2')
  })
})
