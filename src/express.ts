export type { TaskTaker } from './adapters/express/background-tasks.ts'
export { backgroundTasks } from './adapters/express/background-tasks.ts'
export type { RateLimitOptions } from './adapters/express/rate-limit.ts'
export { rateLimit } from './adapters/express/rate-limit.ts'
