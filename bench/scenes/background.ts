import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import { ratios, timeInRounds } from '../harness/rounds.ts'
import type { Measured, Scene } from '../harness/scene.ts'
import { median } from '../harness/statistics.ts'

const WORK_MS = 100
const BATCH = 100

/**
 * The response time of a server that leaves 100 ms of work to the background, beyond that without the
 * work, in turns on one server; and what handing in a task costs beside p-limit, the nearest that others have: it bounds how
 * many run, but neither how many wait, nor does it drain, time or report.
 */
export const scene: Scene = async ({ library, quick, settings }) => {
  const jobs = library.background({ concurrency: 1000, queue: { max: 100_000 } })
  const server = createServer((request, response) => {
    if (request.url === '/after') jobs.run(() => sleep(WORK_MS))
    response.end('ok')
  })
  const url = await listen(server)
  const times = { none: [] as number[], after: [] as number[] }
  try {
    for (let n = 0; n < (quick ? 100 : 500); n++) {
      for (const kind of n % 2 ? (['none', 'after'] as const) : (['after', 'none'] as const)) {
        const startedAt = performance.now()
        await (await fetch(`${url}/${kind}`)).text()
        times[kind].push(performance.now() - startedAt)
      }
    }
    await jobs.drain()
  } finally {
    server.closeAllConnections()
    server.close()
  }
  const [after, none] = [median(times.after), median(times.none)]
  const response: Measured = {
    id: 'background-response',
    samples: [after - none],
    parts: { withWorkMs: after, withoutMs: none, workMs: WORK_MS },
  }
  return [response, await handingIn(library, settings)]
}

async function handingIn(
  library: Parameters<Scene>[0]['library'],
  settings: Parameters<Scene>[0]['settings'],
): Promise<Measured> {
  const jobs = library.background({ concurrency: 10, queue: { max: BATCH } })
  const limit = pLimit(10)
  const task = async (): Promise<number> => 1
  const timings = await timeInRounds(
    [
      {
        name: 'background',
        async run(count) {
          for (let n = 0; n < count; n++) {
            for (let k = 0; k < BATCH; k++) jobs.run(task)
            await jobs.drain()
          }
        },
      },
      {
        name: 'p-limit',
        async run(count) {
          for (let n = 0; n < count; n++) {
            await Promise.all(Array.from({ length: BATCH }, () => limit(task)))
          }
        },
      },
    ],
    settings,
  )
  const us = (name: string): number => median(timings[name] ?? []) / BATCH / 1000
  return {
    id: 'background-run',
    samples: ratios(timings, 'background', 'p-limit'),
    parts: { backgroundUs: us('background'), pLimitUs: us('p-limit') },
  }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
