import type { Entry } from '../l1/entry.ts'

/** An entry of L2 that may be served, fresh or in its grace. */
export interface Found {
  readonly entry: Entry
  /** User and scope tags as stored. */
  readonly tags: readonly string[]
  readonly fresh: boolean
  /** It is the copy in L1, which L2 has confirmed. */
  readonly isCopy: boolean
  /** In local time. */
  readonly freshUntil: number
}
