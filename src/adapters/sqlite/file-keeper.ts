import { CacheFile } from './cache-file.ts'
import { explain, isCorruption, type SqliteModule } from './driver.ts'
import { RefusedFile, statFile } from './inspect-file.ts'
import { moveAside } from './move-aside.ts'
import { openFile } from './open-file.ts'
import type { FileCounters, FileState } from './protocol.ts'

/**
 * Keeps the file at the path open: opens it when asked, again when it was replaced or deleted by
 * somebody, and anew when it turned out corrupt.
 */
export class FileKeeper {
  readonly path: string
  readonly #sqlite: SqliteModule
  readonly #busyMs: number
  #maxBytes = Number.POSITIVE_INFINITY
  #file: CacheFile | undefined
  #inode = -1
  #refusal: string | undefined
  #movedAside = 0
  #evictedBefore = 0
  #news: FileState | undefined

  constructor(sqlite: SqliteModule, path: string, busyMs: number) {
    this.#sqlite = sqlite
    this.path = path
    this.#busyMs = busyMs
  }

  get counters(): FileCounters {
    return {
      evicted: this.#evictedBefore + (this.#file?.upkeep.evicted ?? 0),
      movedAside: this.#movedAside,
    }
  }

  get open(): CacheFile | undefined {
    return this.#file
  }

  /** What changed since it was last asked. */
  takeNews(): FileState | undefined {
    const news = this.#news
    this.#news = undefined
    return news
  }

  /** Two caches may share the file with two bounds: the lower one holds. */
  limit(maxBytes: number): void {
    if (maxBytes >= this.#maxBytes) return
    this.#maxBytes = maxBytes
    this.#file?.upkeep.limit(maxBytes)
  }

  /**
   * The open file. Where it could not be opened, only `again` tries anew: a refused path is looked
   * at when the store is opened or probed, not once per request.
   * @throws Error whose message is meant for the operator.
   */
  use(now: number, again: boolean): CacheFile {
    if (this.#file && this.#present()) return this.#file
    if (this.#refusal !== undefined && !again) throw new RefusedFile(this.#refusal)
    this.close()
    try {
      const { db, inode, movedAside } = openFile(this.#sqlite, this.path, {
        busyMs: this.#busyMs,
        now,
      })
      this.#file = new CacheFile(db, this.#maxBytes)
      this.#inode = inode
      this.#ready(movedAside)
      return this.#file
    } catch (error) {
      this.#refusal = error instanceof RefusedFile ? error.message : explain(error, this.path)
      this.#news = { usable: false, message: this.#refusal }
      throw new RefusedFile(this.#refusal)
    }
  }

  /** After an error met in a transaction. @returns whether it is worth a second try. */
  repair(error: unknown, now: number): boolean {
    if (!isCorruption(error) || !this.#file) return false
    const inode = this.#inode
    this.close()
    try {
      const moved = moveAside(this.#sqlite, this.path, inode, now)
      this.use(now, true)
      if (moved) this.#ready(1)
      return true
    } catch {
      return false
    }
  }

  close(): void {
    this.#evictedBefore += this.#file?.upkeep.evicted ?? 0
    try {
      this.#file?.db.close()
    } catch {
      // The last words of a broken file.
    }
    this.#file = undefined
  }

  #ready(movedAside: number): void {
    this.#refusal = undefined
    this.#movedAside += movedAside
    this.#news =
      movedAside === 0
        ? { usable: true }
        : {
            usable: true,
            message: `the cache file ${this.path} was corrupt, was moved aside as ${this.path}.corrupt-… and begun anew: look at the disk, then delete the old file`,
          }
  }

  /** Two processes that go on with two different files would not see each other's invalidations. */
  #present(): boolean {
    try {
      return statFile(this.path)?.ino === this.#inode
    } catch {
      return false
    }
  }
}
