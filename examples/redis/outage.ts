/**
 * Redis dies under a busy service, piece by piece, and comes back. The service does not notice, but
 * for the price: `npm run example:redis`.
 *
 *   node examples/redis/outage.ts            about a minute
 *   node examples/redis/outage.ts --quick    about 15 seconds
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ensureRedis } from '../../scripts/find-redis.ts'
import { toMs } from '../../src/kernel/duration.ts'
import { CleanUp } from '../demo/processes/clean-up.ts'
import { Origins } from './origins.ts'
import { liveHead, liveLine } from './report/live-line.ts'
import { type Phase, report } from './report/verdict.ts'
import { RedisGroup } from './servers/redis-group.ts'
import { startInstance, TTL } from './service.ts'
import { Tally } from './tally.ts'
import { type Step, TIMELINE } from './timeline.ts'
import { Traffic } from './traffic.ts'
import { Truth } from './truth.ts'
import { L2Watch } from './watch-l2.ts'

const stop = new AbortController()
for (const event of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(event, () => stop.abort(new Error('Interrupted; everything is cleaned up.')))
}
process.stdout.on('error', () => stop.abort(new Error('Nobody reads this.')))

try {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
  await CleanUp.after((cleanUp) => run(values.quick, cleanUp))
} catch (error) {
  console.error(`\n${stop.signal.aborted ? stop.signal.reason.message : (error as Error).message}`)
  process.exitCode = stop.signal.aborted ? 130 : 1
}

async function run(isQuick: boolean, cleanUp: CleanUp): Promise<void> {
  const { path, product, version } = await ensureRedis()
  console.log(`A master, a replica and three sentinels (${product} ${version}) are started.`)
  const group = await RedisGroup.prepare(path)
  cleanUp.defer(() => group.stop())
  await orInterrupted(group.start())

  const truth = new Truth(toMs(TTL, 'ttl'))
  const origins = new Origins(truth)
  const where = { sentinels: group.sentinelAddresses, masterName: group.masterName }
  const instances = ['instance 1', 'instance 2'].map((name) => startInstance(name, where, origins))
  cleanUp.defer(() => Promise.all(instances.map(({ cache }) => cache.close())))
  await Promise.all(instances.map(({ cache }) => cache.ready()))

  const notes: string[] = []
  const watch = new L2Watch(instances, (text) => notes.push(text))
  const traffic = new Traffic({ instances, truth, origins, standing: () => watch.standing })
  console.log(
    'Two instances of a service answer 300 requests/s; 5 times a second something changes and is\n' +
      `invalidated. An origin takes 20 to 40 ms and $0.001 to $0.01. ttl ${TTL}, L2 deadline 50 ms.\n`,
  )
  console.log(liveHead())
  cleanUp.defer(() => traffic.stop())
  const began = performance.now()
  let last = began
  traffic.start()

  const phases: Phase[] = []
  for (const step of TIMELINE) phases.push({ name: step.name, tally: await follow(step) })
  await traffic.stop()
  const { isGood, text } = report(phases, traffic.firstProblem)
  console.log(`\n${text}`)
  if (!isGood) process.exitCode = 1

  async function follow(step: Step): Promise<Tally> {
    const phase = new Tally()
    notes.push(step.note)
    const happening = Promise.resolve(step.happens?.(group))
    let isDone = false
    const done = happening.finally(() => {
      isDone = true
    })
    done.catch(() => {})
    const seconds = isQuick ? step.quickSeconds : step.seconds
    for (let passed = 0; passed < seconds || !isDone; passed++) {
      await sleep(last + 1000 - performance.now(), undefined, { signal: stop.signal })
      phase.add(oneSecond())
    }
    await done
    return phase
  }

  function oneSecond(): Tally {
    const now = performance.now()
    const tally = traffic.take()
    tally.seconds = (now - last) / 1000
    last = now
    console.log(liveLine({ at: (now - began) / 1000, tally, l2: watch.l2, notes: notes.splice(0) }))
    return tally
  }
}

async function orInterrupted<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(stop.signal.reason)
  stop.signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([work, promise])
  } finally {
    stop.signal.removeEventListener('abort', onAbort)
  }
}
