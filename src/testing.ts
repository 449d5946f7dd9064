export {
  type ChaosFault,
  type ChaosOptions,
  type ChaosRates,
  type ChaosSettings,
  type ChaosStore,
  chaosStore,
} from './testing/chaos-store.ts'
export type { FakeReply, ReplyFunction, ReplyInfo } from './testing/fake-anthropic/answer.ts'
export type { FakeCall } from './testing/fake-anthropic/call-log.ts'
export {
  type FakeAnthropic,
  type FakeAnthropicOptions,
  fakeAnthropic,
} from './testing/fake-anthropic/fake-anthropic.ts'
export { FakeClock } from './testing/fake-clock.ts'
export type {
  FakeOpenAIReply,
  OpenAIReplyFunction,
  OpenAIReplyInfo,
} from './testing/fake-openai/answer.ts'
export type { FakeOpenAICall } from './testing/fake-openai/call-log.ts'
export {
  type FakeOpenAI,
  type FakeOpenAIOptions,
  fakeOpenAI,
} from './testing/fake-openai/fake-openai.ts'
export type { FaultMode, FaultOptions } from './testing/loopback/fault-plan.ts'
export type { LoopbackCall } from './testing/loopback/loopback-call.ts'
export type { LoopbackOptions, LoopbackProvider } from './testing/loopback/loopback-provider.ts'
export type { MutantName } from './testing/sim/mutants.ts'
export type { FaultRates } from './testing/sim/schedule.ts'
export {
  type SimulateOptions,
  type SimulationProgress,
  type SimulationReport,
  type SimulationViolation,
  simulate,
} from './testing/sim/simulate.ts'
export {
  type StoreConformanceOptions,
  storeConformance,
} from './testing/store-conformance.ts'
