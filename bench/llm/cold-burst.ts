import { setTimeout } from 'node:timers/promises'
import type Anthropic from '@anthropic-ai/sdk'
import { createPrefixGate, type PrefixGate } from '../../src/llm/gate/prefix-gate.ts'
import type { ModelProfile } from '../../src/llm/models/model-profile.ts'
import { createPrefixPlanner } from '../../src/llm/planner/create-prefix-planner.ts'
import type { Plan } from '../../src/llm/planner/plan.ts'
import {
  type FakeAnthropic,
  fakeAnthropic,
} from '../../src/testing/fake-anthropic/fake-anthropic.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { Prng } from './prng.ts'
import { textBlock, textOf } from './prompt-text.ts'
import { clientOf } from './replay.ts'
import { type MessagesRequest, MODEL } from './timed-request.ts'

const CALLS = 50
const TTFT_MS = 800
const SHARED_TOKENS = 6000
const OWN_TOKENS = 500

/** 50 calls at once that begin alike, none of which the provider has seen. */
export interface ColdBurst {
  /** Calls that paid for writing what they share. */
  readonly writes: number
  readonly reads: number
  readonly promptTokens: number
  /** In tokens of input. */
  readonly cost: number
}

export async function coldBurst(profile: ModelProfile, withGate: boolean): Promise<ColdBurst> {
  const clock = new FakeClock()
  await using provider = await fakeAnthropic({ clock, profile, ttft: TTFT_MS })
  const client = clientOf(provider.url)
  const planner = createPrefixPlanner({ clock })
  const gate = withGate ? createPrefixGate({ clock }) : undefined
  const plans = requests().map((request) => planner.plan({ request, route: 'burst' }))
  const calls = Promise.all(plans.map((plan) => call(client, plan, gate)))
  // Nobody is answered before all have come that will come by then.
  for (const arrivals of withGate ? [1, CALLS] : [CALLS]) {
    await arrived(provider, arrivals)
    await clock.advance(TTFT_MS)
  }
  await calls
  return billOf(provider, profile)
}

function requests(): MessagesRequest[] {
  const random = new Prng(1)
  const system = textOf('Rules for everyone', SHARED_TOKENS, random)
  return Array.from({ length: CALLS }, (_, index) => ({
    model: MODEL,
    max_tokens: 64,
    system,
    messages: [{ role: 'user', content: [textBlock(`Case ${index}`, OWN_TOKENS, random)] }],
  }))
}

function call(
  client: Anthropic,
  plan: Plan<MessagesRequest>,
  gate: PrefixGate | undefined,
): Promise<void> {
  const send = async (onFirstByte: () => void): Promise<void> => {
    const events = await client.messages.create({ ...plan.request, stream: true })
    for await (const _event of events) onFirstByte()
  }
  if (!gate) return send(() => {})
  return gate.run(plan.prefixId, send, { tokens: plan.prefixTokens, isWarm: plan.prefixIsWarm })
}

async function arrived(provider: FakeAnthropic, count: number): Promise<void> {
  for (let wait = 0; provider.calls < count; wait++) {
    if (wait > 5000) throw new Error(`only ${provider.calls} of ${count} calls have come`)
    await setTimeout(2)
  }
}

function billOf({ log }: FakeAnthropic, { read, write }: ModelProfile): ColdBurst {
  const usages = log.map(({ usage }) => ({
    read: usage?.cache_read_input_tokens ?? 0,
    written: usage?.cache_creation_input_tokens ?? 0,
    input: usage?.input_tokens ?? 0,
  }))
  return {
    writes: usages.filter(({ written }) => written >= SHARED_TOKENS).length,
    reads: usages.filter((usage) => usage.read >= SHARED_TOKENS).length,
    promptTokens: usages.reduce((sum, usage) => sum + usage.read + usage.written + usage.input, 0),
    cost: usages.reduce(
      (sum, usage) =>
        sum + usage.input + usage.read * read + usage.written * (write['5m'] as number),
      0,
    ),
  }
}
