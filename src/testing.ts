export {
  type ChaosFault,
  type ChaosOptions,
  type ChaosRates,
  type ChaosSettings,
  type ChaosStore,
  chaosStore,
} from './testing/chaos-store.ts'
export { FakeClock } from './testing/fake-clock.ts'
export {
  type StoreConformanceOptions,
  storeConformance,
} from './testing/store-conformance.ts'
