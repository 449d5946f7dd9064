import { describe, expect, it, vi } from 'vitest'
import { BOUND_MS, Truth } from '../../../examples/redis/truth.ts'

const here = { ready: true, readySince: -1_000 }
const TTL_MS = 20_000

async function changedAt(now: number, durable: boolean): Promise<Truth> {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(now)
  const truth = new Truth(TTL_MS)
  await truth.change('tea', 'a', async () => ({ durable }))
  clock.mockRestore()
  return truth
}

describe('the check of the answers in the outage example', () => {
  it('takes the current version, and what was asked for before the change', async () => {
    const truth = await changedAt(100, true)
    expect(truth.version('tea')).toBe(1)
    expect(truth.staleness('tea', 1, 'b', 5_000, here)).toBeUndefined()
    expect(truth.staleness('tea', 0, 'b', 100, here)).toBeUndefined()
  })

  it('allows nothing old where the change was made', async () => {
    const truth = await changedAt(100, true)
    expect(truth.staleness('tea', 0, 'a', 101, here)).toEqual({ ms: 1, allowedMs: 0 })
  })

  it('allows the bound elsewhere, the ttl while L2 is away, a replay after that', async () => {
    const told = await changedAt(100, true)
    expect(told.staleness('tea', 0, 'b', 1_500, here)?.allowedMs).toBe(BOUND_MS)
    const away = { ready: false, readySince: 0 }
    expect(told.staleness('tea', 0, 'b', 1_500, away)?.allowedMs).toBe(TTL_MS)
    const back = { ready: true, readySince: 3_000 }
    expect(told.staleness('tea', 0, 'b', 5_500, back)?.allowedMs).toBe(2_900 + 1_000 + BOUND_MS)
    const kept = await changedAt(100, false)
    expect(kept.staleness('tea', 0, 'b', 1_500, here)?.allowedMs).toBe(1_000 + BOUND_MS)
  })
})
