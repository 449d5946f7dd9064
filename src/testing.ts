export {
  type ChaosFault,
  type ChaosOptions,
  type ChaosRates,
  type ChaosSettings,
  type ChaosStore,
  chaosStore,
} from './testing/chaos-store.ts'
export { FakeClock } from './testing/fake-clock.ts'
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
