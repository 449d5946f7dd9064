import { PlaceStats } from './place-stats.ts'
import { priorOf } from './places.ts'
import type { PlannerReport, PrefixWarning } from './plan.ts'

/** What of the latest request the next one is compared with. */
export interface LatestRequest {
  /** Digests of the tools, and the tools. */
  readonly tools: readonly string[]
  readonly rawTools: unknown
  /** Texts of the system prompt, by block. */
  readonly system: readonly string[]
}

const MOST_WARNINGS = 50

/** What is remembered of a route besides its prefixes. */
export class RouteMemory {
  readonly name: string
  requests = 0
  extended = 0
  expectedRead = 0
  actualRead = 0
  unexplainedMisses = 0
  staticUntil: string | undefined
  staticTokens = 0
  latest: LatestRequest | undefined
  readonly places = new Map<string, PlaceStats>()
  readonly #warnings = new Map<string, PrefixWarning>()

  constructor(name: string) {
    this.name = name
  }

  statsOf(place: string, shortMs: number, longMs: number): PlaceStats {
    const known = this.places.get(place)
    if (known) return known
    const stats = new PlaceStats(priorOf(place), shortMs, longMs)
    this.places.set(place, stats)
    return stats
  }

  /** Keeps the latest of each kind and place. */
  warn(warnings: readonly PrefixWarning[]): void {
    for (const warning of warnings) {
      const id = `${warning.code} ${warning.path}`
      this.#warnings.delete(id)
      this.#warnings.set(id, warning)
      if (this.#warnings.size > MOST_WARNINGS) {
        this.#warnings.delete(this.#warnings.keys().next().value as string)
      }
    }
  }

  report(): PlannerReport {
    return {
      route: this.name,
      requests: this.requests,
      staticUntil: this.staticUntil,
      staticTokens: this.staticTokens,
      extendedShare: this.requests === 0 ? 0 : this.extended / this.requests,
      expectedRead: this.expectedRead,
      actualRead: this.actualRead,
      unexplainedMisses: this.unexplainedMisses,
      warnings: [...this.#warnings.values()],
    }
  }
}
