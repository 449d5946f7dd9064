export type { SqliteOptions } from './adapters/sqlite/sqlite-store.ts'
export { sqlite } from './adapters/sqlite/sqlite-store.ts'
