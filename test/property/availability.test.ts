import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PROPERTY_TIMEOUT_MS, runSettings, settle } from './settings.ts'
import {
  type Answers,
  type Call,
  GRACE_MS,
  type Options,
  StaleReader,
  type Trouble,
} from './stale-reader.ts'

type Step = (reader: StaleReader) => unknown

/** Steps print as what they do. */
function named(name: string, step: Step): Step {
  return Object.assign(step, { toString: () => name, [fc.toStringMethod]: () => name })
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .constantFrom<Call>('call', 'detail', 'many', 'with signal')
      .map((how) => named(`read by ${how}`, (reader) => reader.read(how))),
  },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(1, 30, 60, 200, 700, 950, 1100, 2500)
      .map((ms) => named(`${ms} ms pass`, (reader) => reader.clock.advance(ms))),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Answers>('ok', 'fails', 'slowly', 'never').map((answers) =>
      named(`the origin answers ${answers}`, (reader) => {
        reader.answers = answers
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom<Trouble | undefined>('throws', 'hangs', 'late', undefined)
      .map((trouble) => named(`L2 ${trouble ?? 'is well'}`, (reader) => reader.troubleL2(trouble))),
  },
  {
    weight: 1,
    arbitrary: fc.constant(named('refresh()', (reader) => reader.refresh())),
  },
  {
    weight: 1,
    arbitrary: fc.constant(named('expireTag()', (reader) => void reader.expire())),
  },
)

const options: fc.Arbitrary<Options> = fc.record({
  softTimeout: fc.constantFrom(0, 80),
  completeInBackground: fc.boolean(),
  refreshAhead: fc.constantFrom<number | false>(false, 0.5),
  graceBackoff: fc.constantFrom(0, 300),
  l1Ttl: fc.constantFrom(200, 5000),
  withL2: fc.boolean(),
})

it(
  'I4: with a usable stale value a read never rejects, nor takes longer than softTimeout and one L2 deadline',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.array(step, { minLength: 4, maxLength: 30, size: 'max' }),
        async (given, steps) => {
          const reader = new StaleReader(given)
          await reader.start()
          for (const next of steps) {
            await next(reader)
            await settle()
            // What happens when the grace ends is another story.
            if (reader.clock.now() > GRACE_MS / 2) break
          }
          await reader.clock.advance(reader.bound)
          expect(reader.late).toEqual([])
          expect(reader.waiting).toBe(0)
          await reader.close()
        },
      ),
      runSettings(1000),
    )
  },
  PROPERTY_TIMEOUT_MS,
)
