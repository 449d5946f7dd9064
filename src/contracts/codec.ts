/** Turns values into bytes for L2 and back. */
export interface Codec<V = unknown> {
  /** Stored with every entry: bytes written under another id are a miss, never decoded by this one. */
  readonly id: string
  /** @throws anything for a value it cannot carry: the value then stays in L1 only. */
  encode(value: V): Uint8Array
  /** @throws anything for bytes it cannot read: the entry is then a miss, and counted. */
  decode(bytes: Uint8Array): V
}

/** The part of https://standardschema.dev that `schema` needs: Zod, Valibot and ArkType schemas fit. */
export interface StandardSchema {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (
      value: unknown,
    ) =>
      | { readonly value?: unknown; readonly issues?: readonly unknown[] | undefined }
      | PromiseLike<{ readonly value?: unknown; readonly issues?: readonly unknown[] | undefined }>
  }
}
