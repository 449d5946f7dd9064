import { describe, expect, it } from 'vitest'
import { fakeAnthropic } from '../../../src/testing/fake-anthropic/fake-anthropic.ts'
import { provider } from './provider.ts'

describe('a wrong option of fakeAnthropic', () => {
  it.each([
    [
      { chunkdelay: 1 },
      "unknown option of fakeAnthropic(): 'chunkdelay'; did you mean 'chunkDelay'?",
    ],
    [
      { ttft: 'soon' },
      "ttft of fakeAnthropic() must be a duration: milliseconds ≥ 0 or text such as '250ms', '30s', '5m', '2h', '7d'; got 'soon'",
    ],
    [
      { refresh: 'hits' },
      "refresh of fakeAnthropic() has no such choice: 'hits'; did you mean 'hit'?",
    ],
    [{ missJitter: 2 }, 'missJitter of fakeAnthropic() must be a number from 0 to 1, got 2'],
    [{ chunks: 0 }, 'chunks of fakeAnthropic() must be a whole number ≥ 1, got 0'],
    [{ reply: 'Hi' }, 'reply of fakeAnthropic() must be a function, got text'],
    [
      { profile: { minTokes: 1 } },
      "unknown option of profile of fakeAnthropic()['anthropic/*']: 'minTokes'; did you mean 'minTokens'?",
    ],
    [
      { faults: { overload: 0.1 } },
      "unknown option of faults of fakeAnthropic(): 'overload'; did you mean 'overloaded'?",
    ],
    [
      { faults: { hang: -1 } },
      'hang in faults of fakeAnthropic() must be a number from 0 to 1, got -1',
    ],
  ])('%j is named, with the remedy', async (options, message) => {
    await expect(fakeAnthropic(options as never)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message,
    })
  })

  it('is refused by fail() as well', async () => {
    const { fake } = await provider()
    expect(() => fake.fail('overload' as never)).toThrow(
      "mode of fail() of fakeAnthropic() has no such choice: 'overload'; did you mean 'overloaded'?",
    )
    expect(() => fake.fail('hang', { times: 0 })).toThrow('times of fail() of fakeAnthropic()')
    expect(() => fake.fail('hang', { time: 1 } as never)).toThrow('time')
  })
})
