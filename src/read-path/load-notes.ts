import { type Duration, toMs } from '../kernel/duration.ts'
import { checkTags } from '../kernel/options.ts'
import type { Flight } from './flight.ts'
import { handOut } from './hand-out.ts'
import { entryOutcome } from './outcome.ts'
import type { LoadContext } from './policy.ts'
import type { Region } from './region.ts'

/** What the origin says about its own result. */
export class LoadNotes {
  #ttlMs: number | undefined
  #tags: readonly string[] = []
  #skip = false
  readonly #region: Region
  readonly #flight: Flight

  constructor(region: Region, flight: Flight) {
    this.#region = region
    this.#flight = flight
  }

  context(signal: () => AbortSignal): LoadContext {
    const notes = this
    const stale = this.#flight.fallback
    let shown: unknown
    return {
      get signal() {
        return signal()
      },
      // What the origin does to it must not show in what is served meanwhile.
      get stale() {
        shown ??= stale && handOut(notes.#region, entryOutcome(stale, 'stale', 'loaded'))
        return shown
      },
      setTtl(ttl: Duration) {
        notes.#ttlMs = toMs(ttl, 'setTtl')
      },
      setTags(tags: readonly string[]) {
        checkTags(tags, 'setTags()')
        notes.#tags = tags.map((tag) => notes.#region.tag(tag))
      },
      skip() {
        notes.#skip = true
      },
    }
  }

  result(value: unknown, durationMs: number) {
    const { scopeTags } = this.#region
    const declared = this.#flight.tags.filter((tag) => !scopeTags.includes(tag))
    const tags = this.#tags.length > 0 ? [...new Set([...declared, ...this.#tags])] : declared
    return { value, durationMs, ttlMs: this.#ttlMs, tags, skip: this.#skip }
  }
}

/** What a load of many keys says holds for all of them. */
export function manyContext(notes: readonly LoadNotes[], signal: () => AbortSignal): LoadContext {
  const contexts = notes.map((note) => note.context(signal))
  return {
    get signal() {
      return signal()
    },
    stale: undefined,
    setTtl: (ttl) => contexts.forEach((context) => void context.setTtl(ttl)),
    setTags: (tags) => contexts.forEach((context) => void context.setTags(tags)),
    skip: () => contexts.forEach((context) => void context.skip()),
  }
}
