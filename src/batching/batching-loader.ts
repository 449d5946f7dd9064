import type { AsyncResource } from 'node:async_hooks'
import { kindOf } from '../kernel/duration.ts'
import { ResilienceError } from '../kernel/errors.ts'
import { Events } from '../kernel/events.ts'
import { checkFunction, invalidOption, unknownName } from '../kernel/options.ts'
import type { Gathering } from './batch.ts'
import { BatchRunner } from './batch-runner.ts'
import type { Loader, LoaderEvents, LoaderStats, LoadOptions } from './loader-api.ts'
import type { LoaderSettings } from './loader-settings.ts'
import { captureContext, currentScope, type Scope } from './request-scope.ts'
import { Slot } from './slot.ts'
import type { Source } from './source.ts'
import type { StoredSource } from './stored-source.ts'

const EVENT_NAMES: ReadonlyArray<keyof LoaderEvents> = ['batch', 'n-plus-one']

/** What a loader has for one request, or for all that is in none. */
interface Part<K, V> {
  readonly memo: Map<unknown, Slot<K, V>> | undefined
  readonly gathering: Gathering<K, V>
}

type Asked = (...args: never[]) => unknown

/** The life of a key: the memo of its request, or a place in the batch that is gathering. */
export class BatchingLoader<K, V> implements Loader<K, V> {
  readonly name: string
  readonly #settings: LoaderSettings<K>
  /** Whether a batch is closed by anything but the end of the turn. */
  readonly #isLimited: boolean
  readonly #stored: StoredSource<K, V> | undefined
  readonly #events = new Events<LoaderEvents>()
  readonly #runner: BatchRunner<K, V>
  /** Where loads come together that belong to no request. */
  readonly #outside: Part<K, V>
  readonly #makePart: (scope: Scope) => Part<K, V>
  #loads = 0
  #hits = 0
  #joined = 0

  constructor(settings: LoaderSettings<K>, source: Source<K, V>, stored?: StoredSource<K, V>) {
    this.name = settings.name
    this.#settings = settings
    this.#stored = stored
    const { maxBatch, weightOf, window } = settings
    this.#isLimited = window !== 'tick' || weightOf !== undefined || Number.isFinite(maxBatch)
    this.#runner = new BatchRunner(settings, source, this.#events)
    this.#outside = {
      memo: undefined,
      gathering: { open: undefined, hasIndex: true, context: captureContext() },
    }
    this.#makePart = (scope) => ({
      memo: settings.memo ? new Map() : undefined,
      gathering: settings.perRequest
        ? {
            open: undefined,
            hasIndex: !settings.memo,
            context: scope.context as AsyncResource,
          }
        : this.#outside.gathering,
    })
  }

  load(key: K, options?: LoadOptions): Promise<V> {
    return this.#load(key, options?.signal, this.load)
  }

  async loadMany(keys: Iterable<K>, options?: LoadOptions): Promise<Array<V | Error>> {
    if (typeof keys !== 'object' || keys === null || !(Symbol.iterator in keys)) {
      throw invalidOption(
        `loadMany() of the loader '${this.name}' takes a list of keys, got ${kindOf(keys)}`,
      )
    }
    const loads: Array<Promise<V | Error>> = []
    for (const key of keys) {
      loads.push(
        this.#load(key, options?.signal, this.loadMany).catch((error: unknown) => error as Error),
      )
    }
    return Promise.all(loads)
  }

  prime(key: K, value: V | Error): this {
    const { memo } = this.#part()
    if (memo === undefined) return this
    const id = this.#idOf(key)
    const known = memo.get(id)
    if (known === undefined || known.forgotten) memo.set(id, Slot.of<K, V>(key, value))
    return this
  }

  clear(key: K): this {
    this.#part().memo?.delete(this.#idOf(key))
    this.#stored?.forget(key)
    return this
  }

  clearAll(): this {
    this.#part().memo?.clear()
    this.#stored?.forgetAll()
    return this
  }

  stats(): LoaderStats {
    const { batches, keys, errors, inFlight, waiting } = this.#runner
    return {
      loads: this.#loads,
      hits: this.#hits,
      joined: this.#joined,
      batches,
      keys,
      errors,
      inFlight,
      waiting,
    }
  }

  on<N extends keyof LoaderEvents>(
    event: N,
    listener: (event: LoaderEvents[N]) => unknown,
  ): () => void {
    if (!EVENT_NAMES.includes(event)) {
      throw unknownName(String(event), EVENT_NAMES, `no event of the loader '${this.name}'`)
    }
    checkFunction(listener ?? null, 'the listener')
    return this.#events.on(event, listener)
  }

  /** @param asked the public method: what the user sees of the stack begins above it */
  #load(key: K, signal: AbortSignal | undefined, asked: Asked): Promise<V> {
    try {
      if (key === undefined || key === null) {
        throw invalidOption(`load() of the loader '${this.name}' needs a key, got ${key}`)
      }
      if (signal !== undefined && this.#isAborted(signal)) throw abortedError(signal)
      this.#loads++
      const id = this.#idOf(key)
      const part = this.#part()
      const known = part.memo?.get(id)
      if (known === undefined || known.forgotten) {
        const slot = this.#slotFor(part, key, id, asked)
        return wait(slot, slot.promise, signal)
      }
      this.#hits++
      if (!this.#settings.hitsWait) return wait(known, known.promise, signal)
      const batch = part.gathering.open ?? this.#runner.open(part.gathering, asked)
      return wait(known, batch.handOutLater(known.promise), signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #idOf(key: K): unknown {
    const idOf = this.#settings.key
    if (idOf === undefined) return key
    const id = idOf(key)
    if (id !== undefined) return id
    throw new ResilienceError(
      'ERR_UNCACHEABLE_KEY',
      `key of the loader '${this.name}' returned undefined, which would be one key for all; return ` +
        'what tells keys apart',
    )
  }

  #isAborted(signal: AbortSignal): boolean {
    if (signal instanceof AbortSignal) return signal.aborted
    throw invalidOption(`signal must be an AbortSignal, got ${kindOf(signal)}`)
  }

  #part(): Part<K, V> {
    const scope = currentScope()
    return scope === undefined ? this.#outside : scope.part(this, this.#makePart)
  }

  /** The place of a key in the batch that is gathering. */
  #slotFor({ gathering, memo }: Part<K, V>, key: K, id: unknown, asked: Asked): Slot<K, V> {
    let slot = gathering.hasIndex ? gathering.open?.find(id) : undefined
    if (slot !== undefined) this.#joined++
    else if (this.#isLimited) slot = this.#addWithin(gathering, key, id, asked)
    else slot = (gathering.open ?? this.#runner.open(gathering, asked)).add(key, id)
    memo?.set(id, slot)
    return slot
  }

  /** Where a batch has a window or a limit. */
  #addWithin(gathering: Gathering<K, V>, key: K, id: unknown, asked: Asked): Slot<K, V> {
    const { maxBatch, maxWeight, weightOf, clock } = this.#settings
    const { open } = gathering
    const weight = weightOf === undefined ? 0 : this.#checkWeight(weightOf(key))
    if (open !== undefined && open.slots.length > 0 && open.weight + weight > maxWeight) {
      this.#runner.close(open)
    }
    const batch = gathering.open ?? this.#runner.open(gathering, asked)
    const slot = batch.add(key, id)
    batch.weight += weight
    batch.lastAt = clock.now()
    if (batch.slots.length >= maxBatch || batch.weight >= maxWeight) this.#runner.close(batch)
    return slot
  }

  #checkWeight(weight: unknown): number {
    if (typeof weight === 'number' && weight >= 0) return weight
    throw invalidOption(
      `maxWeight.of of the loader '${this.name}' must return a number ≥ 0, got ${kindOf(weight)}`,
    )
  }
}

/** This caller's wait for a key. */
function wait<K, V>(
  slot: Slot<K, V>,
  promise: Promise<V>,
  signal: AbortSignal | undefined,
): Promise<V> {
  if (signal === undefined) {
    slot.pin()
    return promise
  }
  slot.join()
  return new Promise<V>((resolve, reject) => {
    const onAbort = (): void => {
      slot.leave()
      reject(abortedError(signal))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(
      (value) => {
        signal.removeEventListener('abort', onAbort)
        resolve(value)
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort)
        reject(error)
      },
    )
  })
}

function abortedError(signal: AbortSignal): ResilienceError {
  return new ResilienceError('ERR_ABORTED', 'the load was aborted by its signal', {
    cause: signal.reason,
  })
}
