export type { CacheLike, KeyvCacheStore } from './adapters/keyv/as-keyv-store.ts'
export { asKeyvStore } from './adapters/keyv/as-keyv-store.ts'
export type { KeyvLike } from './adapters/keyv/keyv-backend.ts'
export { keyv } from './adapters/keyv/keyv-store.ts'
