import { loader } from '../../src/batching/loader.ts'
import type { LoaderOptions } from '../../src/batching/loader-options.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

/** A loader of users that writes down what its batch function was asked for. */
export function users(options: LoaderOptions<number> = {}) {
  const batches: number[][] = []
  const clock = new FakeClock()
  const users = loader(
    async (ids: readonly number[]) => {
      batches.push([...ids])
      return ids.map((id) => `user ${id}`)
    },
    { name: 'users', clock, ...options },
  )
  return { users, batches, clock }
}
