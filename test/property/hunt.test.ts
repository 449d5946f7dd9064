import fc from 'fast-check'
import { it } from 'vitest'
import { operations, worlds } from './operations.ts'
import { simulate } from './simulate.ts'

it('hunt', async () => {
  const n = Number(process.env.RC_RUNS ?? 500)
  const classes = new Map<string, { count: number; seed: number; detail: string }>()
  const start = Number(process.env.RC_SEED ?? 1)
  process.on('unhandledRejection', (e) => console.log('UNHANDLED', e))
  for (let i = 0; i < n; i++) {
    const seed = start + i
    const prop = fc.asyncProperty(
      worlds,
      operations,
      fc.scheduler(),
      fc.nat(),
      async (world, list, scheduler, s) => {
        if (process.env.SKIP && new RegExp(process.env.SKIP).test(JSON.stringify([world, list])))
          return
        await simulate({ world, operations: list, scheduler, seed: s })
      },
    )
    const r = await fc.check(prop, { seed, numRuns: 1, endOnFailure: true })
    if (r.failed) {
      const e = r.errorInstance as Error
      const key = e.message
        .replace(/[:|{].*$/s, '')
        .replace(/\d+/g, (m, o) => (o < 3 ? m : '#'))
        .slice(0, 80)
      const c = classes.get(key)
      if (c) c.count++
      else
        classes.set(key, {
          count: 1,
          seed,
          detail:
            e.message.slice(0, 700) + '\n' + (e.stack ?? '').split('\n').slice(1, 4).join('\n'),
        })
    }
  }
  console.log(
    [...classes].map(([k, c]) => `${c.count}/${n} ${k} seed=${c.seed}\n    ${c.detail}`).join('\n'),
  )
}, 3_600_000)
