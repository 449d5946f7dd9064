export type { BottleneckLimiter } from './adapters/bottleneck/bottleneck-limiter.ts'
export { bottleneckLimiter } from './adapters/bottleneck/bottleneck-limiter.ts'
export type { BottleneckEvents, BottleneckLimiterStats } from './adapters/bottleneck/limiter.ts'
export type {
  BottleneckHardening,
  BottleneckOptions,
} from './adapters/bottleneck/limiter-options.ts'
