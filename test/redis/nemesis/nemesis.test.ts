import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { seededRandom } from '../../../src/kernel/seeded-random.ts'
import { type Bed, fault } from '../faults/fixture.ts'
import { holdsInvariants, type Outage, recovers } from '../faults/invariants.ts'
import type { Read } from '../faults/rig.ts'
import { Battlefield } from './battlefield.ts'
import { BLOWS, type Blow } from './blows.ts'

// RC_SEED=1234 repeats the choice of the faults of a run, RC_NEMESIS_MS=3600000 makes it a long one.
const FOR_MS = Number(process.env.RC_NEMESIS_MS ?? 15_000)
const SEED = Number(process.env.RC_SEED ?? Date.now() % 1_000_000_007)

/**
 * A read waits for L2 once. It may also wait for the load of another process, and if that has lost its
 * line to L2 since, until its lease runs out: which is rare, and no wait for L2.
 */
const USUAL_MS = 250
const TAKEOVER_MS = 5_500

interface Struck extends Outage {
  readonly name: string
}

async function fight(field: Battlefield, random: () => number): Promise<Struck[]> {
  const outages: Struck[] = []
  const endsAt = performance.now() + FOR_MS
  while (performance.now() < endsAt) {
    await sleep(100 + random() * 400)
    const blow = BLOWS[Math.floor(random() * BLOWS.length)] as Blow
    const master = await field.master()
    if (!master || (blow.needsReplicas && !(await field.isWhole()))) continue
    const from = performance.now()
    await blow.strike({ field, master, random })
    await field.untilGathered()
    outages.push({ name: blow.name, from, to: performance.now() })
  }
  return outages
}

/** Whatever has happened: in the end all caches agree with the truth. */
async function agrees({ rig }: Battlefield): Promise<Read[]> {
  const from = rig.reads.length
  for (const [node] of rig.nodes.entries()) {
    await Promise.all(
      rig.ids.flatMap((id) => [rig.read(node, 'remote', id), rig.read(node, 'both', id)]),
    )
  }
  const newest = new Map(rig.ids.map((id) => [id, 0]))
  for (const { id, version } of rig.changes) newest.set(id, Math.max(newest.get(id) ?? 0, version))
  return rig.reads.slice(from).filter(({ id, version }) => version !== newest.get(id))
}

async function survives(bed: Bed, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const field = await Battlefield.open(bed)
  const { rig } = field
  await rig.fill()
  let outages: Struck[] = []
  try {
    await rig.load({
      perSecond: 100,
      changesPerSecond: 15,
      while: async () => {
        outages = await fight(field, random)
      },
    })
    const healedAt = performance.now()
    const ratio = await recovers(rig, healedAt)
    await sleep(1500)
    expect(await agrees(field), 'reads that differ from the truth in the end').toEqual([])
    holdsInvariants(rig, { boundMs: TAKEOVER_MS, outages, generations: outages.length })
    const waits = rig.reads
      .filter(({ way }) => way !== 'control')
      .map(({ start, end }) => end - start - rig.lag(start, end))
    const long = waits.filter((wait) => wait > USUAL_MS)
    expect(long.length / waits.length, `reads of more than ${USUAL_MS} ms`).toBeLessThan(0.02)
    const during = rig.reads
      .filter(({ way, start, end }) => way !== 'control' && end - start > USUAL_MS)
      .map(({ start, end, node, source }) => {
        const struck = outages.findLast(({ from }) => from < start + 50)
        return `${(end - start).toFixed(0)} ms on ${node} (${source}) after ${struck?.name}`
      })
    const durable = rig.changes.filter((change) => change.durable).length
    bed.say(
      `seed ${seed}: ${outages.length} faults, ${rig.reads.length} reads, slowest ${Math.max(...waits).toFixed(0)} ms, ` +
        `${durable} of ${rig.changes.length} invalidations durable at once, hits ${ratio.toFixed(2)}; long: ${during.join(', ') || 'none'}`,
    )
  } catch (error) {
    const story = outages.map(({ name, from, to }) => `${name} (${(to - from).toFixed(0)} ms)`)
    throw new Error(`RC_SEED=${seed} repeats it; the faults were: ${story.join(', ')}`, {
      cause: error,
    })
  }
}

describe('whatever happens', () => {
  for (const [run, seed] of [SEED, SEED + 1].entries()) {
    fault(
      `nemesis: run ${run + 1}, seed ${seed}: I1 to I7 hold`,
      (bed) => survives(bed, seed),
      FOR_MS + 90_000,
    )
  }
})
