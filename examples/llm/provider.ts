import Anthropic from '@anthropic-ai/sdk'
// In your project: from '@org/resilient-cache/testing'
import { FakeClock, fakeAnthropic, type ReplyFunction } from '../../src/testing.ts'

/** The time of an example: it stands still but for the pauses, which take no time at all. */
export interface Setting {
  readonly client: Anthropic
  /** For `createCache`; absent with --live. */
  readonly clock: FakeClock | undefined
  readonly isLive: boolean
  now(): number
  /** With --live nobody waits. */
  pause(seconds: number): Promise<void>
  close(): Promise<void>
}

/** The real SDK, on a provider on this machine; on the real one only with a key AND --live. */
export async function openProvider(reply: ReplyFunction): Promise<Setting> {
  if (process.argv.includes('--live')) return openLive()
  const clock = new FakeClock(Date.UTC(2026, 10, 24, 9))
  const provider = await fakeAnthropic({ clock, reply })
  return {
    client: new Anthropic({ baseURL: provider.url, apiKey: 'example', maxRetries: 0 }),
    clock,
    isLive: false,
    now: () => clock.now(),
    pause: (seconds) => clock.advance(seconds * 1000),
    close: () => provider.close(),
  }
}

function openLive(): Setting {
  const apiKey = process.env.ANTHROPIC_API_KEY
  if (!apiKey) {
    console.error('--live asks the real provider and costs money: set ANTHROPIC_API_KEY')
    process.exit(2)
  }
  return {
    client: new Anthropic({ apiKey }),
    clock: undefined,
    isLive: true,
    now: () => Date.now(),
    pause: async () => {},
    close: async () => {},
  }
}
