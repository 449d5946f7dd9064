import { loadGuardOf } from '../contracts/load-guard.ts'
import { type BatchContext, BatchSource } from './batch-source.ts'
import { BatchingLoader } from './batching-loader.ts'
import { FallbackSource } from './fallback-source.ts'
import type { Loader } from './loader-api.ts'
import type { LoaderOptions, MapOptions, MissingValue, RowOptions } from './loader-options.ts'
import { type LoaderSettings, settingsOf } from './loader-settings.ts'
import { OriginGate } from './origin-gate.ts'
import type { Source } from './source.ts'
import { type MakeStored, StoredSource } from './stored-source.ts'

/** Loads many keys at once. `A` is its answer: values in the order of the keys, rows, or a `Map`. */
export type BatchFunction<K, A> = (keys: readonly K[], context: BatchContext) => A | PromiseLike<A>

/**
 * Loads of single keys that become one call for many: 1 + 100 queries are 2. Make it once, when the
 * program starts; `requestScope` keeps what it remembers of one request from the next.
 *
 * ```ts
 * const users = loader((ids: readonly number[]) => sql`SELECT * FROM users WHERE id IN ${sql(ids)}`, {
 *   keyOf: (user) => user.id,
 * })
 * const user = await users.load(7)
 * ```
 *
 * The batch function returns values in the order of its keys, or a `Map`, or, with `keyOf`, rows in any
 * order. An `Error` in it fails its own key only. Batches run in the async context of their
 * `requestScope`, or in that of `loader()`, never in the first caller's.
 *
 * @throws ERR_INVALID_OPTION for wrong options, naming the nearest right one
 */
export function loader<K, R, const W extends 'null' | 'error' = 'null', M = never>(
  batch: BatchFunction<K, readonly R[]>,
  options: RowOptions<K, NoInfer<R>, W, M>,
): Loader<K, R | MissingValue<W, M>>
export function loader<K, V, const W extends 'null' | 'error' = 'null', M = never>(
  batch: BatchFunction<K, ReadonlyMap<K, V | Error>>,
  options?: MapOptions<K, W, M>,
): Loader<K, V | MissingValue<W, M>>
export function loader<K, V>(
  batch: BatchFunction<K, ReadonlyArray<V | Error>>,
  options?: LoaderOptions<K>,
): Loader<K, V>
export function loader(
  batch: BatchFunction<unknown, unknown>,
  options: unknown = {},
): Loader<unknown, unknown> {
  const settings = settingsOf<unknown>(batch, options)
  const { guard } = settings
  const { runner, fallback } = guard === undefined ? NO_GUARD : loadGuardOf(guard)
  const origin = new BatchSource<unknown, unknown>(batch, settings, runner)
  const stored = settings.stored && storedSource(settings, settings.stored, origin)
  const source = stored ?? origin
  return new BatchingLoader(
    settings,
    fallback === undefined ? source : new FallbackSource(source, fallback, settings),
    stored,
  )
}

const NO_GUARD = { runner: undefined, fallback: undefined }

function storedSource(
  settings: LoaderSettings<unknown>,
  { store, options }: NonNullable<LoaderSettings<unknown>['stored']>,
  origin: Source<unknown, unknown>,
): StoredSource<unknown, unknown> {
  const gate = new OriginGate(origin, settings, settings.clock)
  return new StoredSource(store.cached.bind(store) as unknown as MakeStored, options, gate)
}
