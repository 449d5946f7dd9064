import type { LoadEnd, StampMode, WriteReply, WriteRequest } from '../../contracts/store.ts'

/** Changes to the parts of a cache: by scripts, or step by step where the server runs none. */
export interface Writer {
  /** `keepUntil` is capped already. `latest`: when, in the server's time, a set is late. */
  write(request: WriteRequest, latest: number): Promise<WriteReply>
  /** At least one key. */
  delete(keys: readonly string[]): Promise<{ readonly sequence: number }>
  /** At least one tag. */
  stamp(tags: readonly string[], mode: StampMode): Promise<{ readonly sequence: number }>
  renew(key: string, token: string, ms: number): Promise<boolean>
  release(key: string, token: string, end: LoadEnd): Promise<void>
}
