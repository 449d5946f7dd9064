import Anthropic from '@anthropic-ai/sdk'
import { afterEach } from 'vitest'
import {
  type FakeAnthropic,
  type FakeAnthropicOptions,
  fakeAnthropic,
} from '../../../src/testing/fake-anthropic/fake-anthropic.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

const started: FakeAnthropic[] = []

afterEach(async () => {
  await Promise.all(started.splice(0).map((provider) => provider.close()))
})

/** A provider that is closed after the test, a clock that stands still, and clients of the real SDK. */
export async function provider(options: FakeAnthropicOptions = {}) {
  const clock = new FakeClock()
  const fake = await fakeAnthropic({ clock, ...options })
  started.push(fake)
  const clientOf = (apiKey = 'one'): Anthropic =>
    new Anthropic({ apiKey, baseURL: fake.url, maxRetries: 0 })
  return { fake, clock, client: clientOf(), clientOf }
}

/** Lets the loopback connection do its work until `isDone`. */
export async function until(isDone: () => boolean): Promise<void> {
  const limit = performance.now() + 10_000
  while (!isDone()) {
    if (performance.now() > limit) throw new Error('it has not come about within 10 s')
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}

/** Fires the timers of the provider one after the other until `work` has settled. */
export async function drive<T>(clock: FakeClock, work: Promise<T>, stepMs: number): Promise<T> {
  let settled = false
  const done = (): void => {
    settled = true
  }
  work.then(done, done)
  while (!settled) {
    await until(() => settled || clock.pending > 0)
    if (!settled) await clock.advance(stepMs)
  }
  return work
}
