import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Failure, FruitlessLoads, LoadEnd } from '../../contracts/store.ts'

/** So long it is remembered that loads stored nothing: several polls of whoever waits. */
const REMEMBERED_MS = 5000

/** How the loads of each key ended that stored nothing. Inside a transaction of the caller. */
export class FruitlessTable {
  readonly #get: StatementSync
  readonly #put: StatementSync
  readonly #keep: StatementSync
  readonly #drop: StatementSync

  constructor(db: DatabaseSync) {
    this.#get = db.prepare(
      'SELECT failed, failure, unstored FROM fruitless WHERE key = ? AND until > ?',
    )
    this.#put = db.prepare(
      `INSERT INTO fruitless (key, failed, failure, unstored, until) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET failed = excluded.failed, failure = excluded.failure,
         unstored = excluded.unstored, until = excluded.until`,
    )
    this.#keep = db.prepare(
      'UPDATE fruitless SET until = max(until, ?) WHERE key = ? AND until > ?',
    )
    this.#drop = db.prepare('DELETE FROM fruitless WHERE key = ?')
  }

  get(key: string, now: number): FruitlessLoads | undefined {
    const row = this.#get.get(key, now)
    if (row === undefined) return undefined
    const failure = row.failure as string | null
    return {
      failed: row.failed as number,
      unstored: row.unstored as number,
      ...(failure === null ? {} : { failure: JSON.parse(failure) as Failure }),
    }
  }

  note(key: string, end: LoadEnd, now: number): void {
    if (end.kind === 'unused') return
    const before = this.get(key, now)
    const failed = before?.failed ?? 0
    const unstored = before?.unstored ?? 0
    const failure = end.kind === 'failed' ? end.failure : before?.failure
    this.#put.run(
      key,
      end.kind === 'failed' ? failed + 1 : failed,
      failure === undefined ? null : JSON.stringify(failure),
      end.kind === 'unstored' ? unstored + 1 : unstored,
      now + REMEMBERED_MS,
    )
  }

  /** The next load is under way until then: how it ends belongs to the same series. */
  keep(key: string, until: number, now: number): void {
    this.#keep.run(until, key, now)
  }

  drop(key: string): void {
    this.#drop.run(key)
  }
}
