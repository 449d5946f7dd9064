import { resolve } from 'node:path'
import type { Store } from '../../contracts/store.ts'
import { type ByteSize, toBytes } from '../../kernel/byte-size.ts'
import { type Duration, shown, toMs } from '../../kernel/duration.ts'
import { checkOptionNames, invalidOption } from '../../kernel/options.ts'
import { SqliteSession } from './sqlite-session.ts'

export interface SqliteOptions {
  /**
   * The file. It is made with mode 0600, and missing folders of it with 0700, when a cache opens the
   * store. A relative path starts at the present working directory.
   */
  path: string
  /**
   * How large the file may grow; entries past their end, then those used longest ago, make room. Its
   * write-ahead log comes on top, usually 4 MB. At least `'256kb'`. @default '256mb'
   */
  maxBytes?: ByteSize
  /** Deadline of one operation. @default '50ms' */
  timeout?: Duration
}

const LEAST_BYTES = 256 * 1024

/**
 * A level in a file of this machine: it survives restarts and is shared by all processes that name
 * the same path, with leases and invalidation as with a server. It runs in one worker thread, so
 * that neither a lock nor a slow disk blocks the event loop.
 *
 * A path that cannot be used, or a file that is not ours, is left alone: the level is then `down` in
 * `health()`, and the cache goes on without it. A corrupt file of ours is moved aside as
 * `<path>.corrupt-<time>` and begun anew. Not for network file systems.
 *
 * ```ts
 * const cache = createCache({ name: 'api', l2: sqlite({ path: '/var/cache/api/cache.db' }) })
 * ```
 *
 * @throws ERR_INVALID_OPTION
 */
export function sqlite(options: SqliteOptions): Store {
  checkOptionNames(options, ['path', 'maxBytes', 'timeout'], 'sqlite()')
  const path = checkPath(options.path)
  const maxBytes = toBytes(options.maxBytes ?? '256mb', 'maxBytes')
  if (maxBytes < LEAST_BYTES) {
    throw invalidOption(`maxBytes must be at least '256kb', got ${shown(options.maxBytes)}`)
  }
  const timeoutMs = toMs(options.timeout ?? 50, 'timeout')
  if (timeoutMs === 0)
    throw invalidOption('timeout must be > 0: at 0 no operation could end in time')
  return {
    source: 'file',
    coherence: 'ttl-only',
    supports: { leases: true, atomic: true },
    timeoutMs,
    open: (context) => new SqliteSession(context, { path, maxBytes, timeoutMs }),
  }
}

function checkPath(path: unknown): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw invalidOption(`path must be the path of a file, got ${shown(path)}`)
  }
  if (path.startsWith(':') || path.startsWith('file:')) {
    throw invalidOption(
      `path must be the path of a file, got ${shown(path)}; for a level without a file there is memory()`,
    )
  }
  return resolve(path)
}
