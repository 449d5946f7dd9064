import type { LoadEnd, ReadRequest, StampMode, WriteRequest } from '../../contracts/store.ts'

// What travels between the main thread and the worker. Structured clone carries it: plain data only.

export type Operation =
  /** Makes the space known, and opens the file again where it could not be used before. */
  | { readonly name: 'open'; readonly maxBytes: number }
  | { readonly name: 'read'; readonly request: ReadRequest }
  | { readonly name: 'write'; readonly request: WriteRequest }
  | { readonly name: 'delete'; readonly keys: readonly string[] }
  | { readonly name: 'stamp'; readonly tags: readonly string[]; readonly mode: StampMode }
  | { readonly name: 'renew'; readonly key: string; readonly token: string; readonly ms: number }
  | {
      readonly name: 'release'
      readonly key: string
      readonly token: string
      readonly end: LoadEnd
    }
  | { readonly name: 'probe' }
  /** The last request: the file is closed and the thread ends. */
  | { readonly name: 'close' }

export interface WorkerRequest {
  readonly id: number
  readonly space: string
  /** The store's time: the worker has no clock of its own, so that a fake one rules here too. */
  readonly now: number
  readonly operation: Operation
}

export type WorkerReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }

export interface FileCounters {
  /** Entries deleted to keep the file within `maxBytes`. */
  readonly evicted: number
  /** Corrupt files that were moved aside. */
  readonly movedAside: number
}

/** The answer to one turn. `state` is there when it changed. */
export interface WorkerMessage {
  readonly replies: readonly WorkerReply[]
  readonly state?: FileState
  readonly counters: FileCounters
}

export interface FileState {
  readonly usable: boolean
  /** What is or was wrong, and what to do. */
  readonly message?: string
}

export interface WorkerSetup {
  readonly path: string
  /** How long a transaction may wait for the lock of another process. */
  readonly busyMs: number
}
