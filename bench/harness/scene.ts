import type * as library from '../../src/index.ts'
import type { redis } from '../../src/redis.ts'
import type { sqlite } from '../../src/sqlite.ts'
import type { RoundSettings } from './rounds.ts'

/** The built library: what a user runs, not the source. */
export interface Built {
  readonly library: typeof library
  loadRedis(): Promise<typeof redis>
  loadSqlite(): Promise<typeof sqlite>
  /** URL of a built file. */
  url(file: string): string
}

export interface SceneContext extends Built {
  readonly settings: RoundSettings
  readonly quick: boolean
}

/** What one child process found for one figure. */
export interface Measured {
  readonly id: string
  /** One for each round, or a single one; their median counts for this process. */
  readonly samples: readonly number[]
  /** What the figure was made of, e.g. the nanoseconds of both sides: medians, for the reader. */
  readonly parts?: Readonly<Record<string, number>>
}

/** A scene runs in a child process of its own, so that no other scene's types spoil its code. */
export type Scene = (context: SceneContext) => Promise<readonly Measured[]>
