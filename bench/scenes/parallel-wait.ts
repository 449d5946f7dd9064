import { setTimeout as sleep } from 'node:timers/promises'
import type { parallel as Parallel } from '../../src/index.ts'
import type { Scene } from '../harness/scene.ts'

/** Real time: three calls of 2 s, and the same with one that fails at 0.1 s. */
export const scene: Scene = async ({ library }) => {
  const { parallel } = library
  const start = performance.now()
  await parallel({ a: call, b: call, c: call })
  const together = performance.now() - start

  const failures: number[] = []
  for (let round = 0; round < ROUNDS; round++) failures.push(await failing(parallel))
  return [
    { id: 'parallel-three', samples: [together] },
    { id: 'parallel-fails', samples: failures, parts: { siblingsAborted: 2 } },
  ]
}

const ROUNDS = 9

const call = (signal: AbortSignal): Promise<void> => sleep(2000, undefined, { signal })

/** @returns how long it took until the call had failed and both siblings had stopped */
async function failing(parallel: typeof Parallel): Promise<number> {
  let aborted = 0
  const listening = (signal: AbortSignal): Promise<void> =>
    call(signal).catch((error: unknown) => {
      aborted++
      throw error
    })
  const fails = async (): Promise<never> => {
    await sleep(100)
    throw new Error('at 0.1 s')
  }
  const start = performance.now()
  const outcome = await parallel({ listening, fails, other: listening }, { await: 'settled' }).then(
    () => 'no error',
    (error: Error) => error.message,
  )
  const took = performance.now() - start
  if (outcome !== 'at 0.1 s' || aborted !== 2) {
    throw new Error(`ended with '${outcome}', ${aborted} siblings aborted instead of 2`)
  }
  return took
}
