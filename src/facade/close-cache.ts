import { ResilienceError } from '../kernel/errors.ts'
import type { CacheParts } from './territory.ts'

/** Lets loads and writes under way end, up to `ms`, aborts what is left, and closes L2. */
export async function closeCache({ core, regions }: CacheParts, ms: number): Promise<void> {
  core.closed = true
  for (const region of regions.all()) region.lru.clear()
  await drained(core, ms)
  for (const region of regions.all()) {
    for (const flight of [...region.running]) {
      flight.abort(new ResilienceError('ERR_CLOSED', `the cache '${core.name}' was closed`))
    }
  }
  await core.remote?.close()
}

async function drained({ background, clock }: CacheParts['core'], ms: number): Promise<void> {
  if (background.size === 0) return
  let timer: unknown
  const deadline = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, ms)
  })
  await Promise.race([background.drained(), deadline])
  clock.clearTimeout(timer)
}
