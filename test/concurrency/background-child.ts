import { background } from '../../src/concurrency/background.ts'

// Started by background-signal.test.ts: hands in work, says so, and is then sent a signal.

const [taskMs = '100', drainDeadline = '2s', handler = 'none'] = process.argv.slice(2)

const jobs = background({
  name: 'jobs',
  concurrency: 1,
  drainOn: ['SIGTERM'],
  drainDeadline: drainDeadline as '2s',
  onError: (error, { key }) => console.log(key, (error as { code: string }).code),
})
// A second one: the process ends when both have drained.
const other = background({ name: 'other', drainOn: ['SIGTERM'] })
other.run(() => new Promise((resolve) => setTimeout(resolve, 50)))

if (handler === 'own') {
  process.once('SIGTERM', () => {
    console.log('own handler')
    setTimeout(() => process.exit(7), 600)
  })
}
for (const key of ['a', 'b', 'c']) {
  jobs.run(
    async () => {
      await new Promise((resolve) => setTimeout(resolve, Number(taskMs)))
      console.log(`${key} done`)
    },
    { key },
  )
}
jobs.run(() => console.log('delayed done'), { delay: '1h' })
jobs.on('drain', ({ done, aborted }) => console.log(`drained ${done} ${aborted}`))
// A server would keep it alive.
setInterval(() => {}, 1000)
console.log('ready')
