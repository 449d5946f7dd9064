/** Follows a stream item by item, and knows in the end what it adds up to. It changes no item. */
export interface StreamTail {
  add(item: unknown): void
  /** Whether it has said all it had to say: false where it was cut off. */
  readonly complete: boolean
  /** Whether only good-byes can follow: who leaves now has got everything. */
  readonly finished: boolean
  /** The provider has answered with an error, which is the readers' answer as well. */
  readonly refusal?: unknown
  /** What the provider would have answered without streaming; `undefined` without a beginning. */
  final(): unknown
}
