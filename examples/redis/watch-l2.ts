import type { Instance } from './service.ts'
import type { Standing } from './truth.ts'

/** Follows what the instances say of their L2, and tells what happens to it. */
export class L2Watch {
  readonly #instances: readonly Instance[]
  readonly #note: (text: string) => void
  readonly #sources = new Map<string, string>()
  readonly #away = new Set<string>()
  /** Since when they are away, or there again, all of them. */
  #awaySince = 0
  #readySince = performance.now()

  constructor(instances: readonly Instance[], note: (text: string) => void) {
    this.#instances = instances
    this.#note = note
    for (const { name, cache } of instances) {
      cache.on('l2-state', (l2) => this.#changed(name, l2.state, l2.source))
      const { state, source } = cache.health().l2
      this.#sources.set(name, source)
      if (state !== 'ready') this.#away.add(name)
    }
  }

  get standing(): Standing {
    return { ready: this.#away.size === 0, readySince: this.#readySince }
  }

  /** As the worse of the instances sees it. */
  get l2() {
    const all = this.#instances.map(({ cache }) => cache.health().l2)
    return (all.find(({ state }) => state !== 'ready') ?? all[0]) as (typeof all)[number]
  }

  #changed(name: string, state: string, source: string): void {
    const now = performance.now()
    const before = this.#away.size
    if (state === 'ready') this.#away.delete(name)
    else this.#away.add(name)
    if (before === 0 && this.#away.size > 0) {
      this.#awaySince = now
    } else if (before > 0 && this.#away.size === 0) {
      this.#readySince = now
      this.#note(`L2 is back after ${seconds(now - this.#awaySince)}`)
    } else if (state === 'ready' && source !== this.#sources.get(name) && this.#away.size === 0) {
      if (name === this.#instances[0]?.name) this.#note(`source: ${source}`)
    }
    this.#sources.set(name, source)
  }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}
