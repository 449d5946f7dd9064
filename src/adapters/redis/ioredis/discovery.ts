import type { StoreSource } from '../../../contracts/store.ts'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** A server to try, and what being connected to it means. */
export interface Candidate extends Endpoint {
  readonly source: StoreSource
  /** Longest life of what is written there, while it may not be the master any more. */
  readonly maxKeepMs?: number
  readonly readOnly?: boolean
}

/** What a server says of itself (INFO) once it is connected. Empty where an ACL forbids to ask. */
export type ServerInfo = Readonly<Record<string, string>>

/**
 * Where the data connection goes. One attempt to connect is: `find`, connect, authenticate, ask the
 * server what it is, `accept` or `refuse`.
 */
export interface Discovery {
  /**
   * The next server to try.
   * @throws ResilienceError ERR_L2_UNAVAILABLE when there is none to try now
   */
  find(): Promise<Candidate>
  /** Whether this server will do, by what it says of itself: the error says why not. */
  check(candidate: Candidate, info: ServerInfo): Error | undefined
  /** It is connected, checked and in use. */
  accepted(candidate: Candidate, info: ServerInfo): void
  /** It could not be reached, or was not what it should be. */
  refused(candidate: Candidate, error: Error): void
  /** Begins to watch where the master is. */
  start(watcher: DiscoveryWatcher): void
  stop(): void
}

export interface DiscoveryWatcher {
  /** The master is elsewhere, or may be found again: drop the connection and begin anew, at once. */
  onMoved(): void
  /** Same server, but how it was found has changed: `sentinel` instead of `last-known`. */
  onSource(candidate: Candidate): void
  /** Something worth telling operators: a sentinel that cannot be reached, a minority answer. */
  onError(error: Error): void
}
