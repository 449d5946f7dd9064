import { describe, expect, it } from 'vitest'
import { memory, type Store } from '../../src/index.ts'
import { aWorld, endWorldsAfterEach } from '../read-path/fixture.ts'

endWorldsAfterEach()

/** A store on another machine, whose clock is ahead of this one's. */
function ahead(store: Store, ms: number): Store {
  const { source, coherence, supports, timeoutMs } = store
  return {
    source,
    coherence,
    supports,
    timeoutMs,
    open(context) {
      const { clock } = context
      const far = Object.create(clock, { wall: { value: () => clock.wall() + ms } })
      return store.open({ ...context, clock: far })
    },
  }
}

describe('a store whose clock is not this one’s', () => {
  it('keeps the first value that is set, before anything was read, for its ttl', async () => {
    const world = aWorld()
    const l2 = ahead(memory(), 600_000)
    const [one, other] = [world.cache({ l2, ttl: '5m' }), world.cache({ l2, ttl: '5m' })]
    expect(await one.set('k', 'value')).toEqual({ durable: true })
    expect(await other.get('k')).toBe('value')
    await world.clock.advance('4m')
    const third = world.cache({ l2 })
    expect(await third.get('k')).toBe('value')
    await world.clock.advance('61s')
    expect(await third.get('k')).toBeUndefined()
  })
})
