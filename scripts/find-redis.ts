// Finds a redis-server or valkey-server for tests, examples and benches. `node scripts/find-redis.ts`
// prints its path, after installing it where that is allowed.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installRedis, manualCommands } from './install-redis.ts'

/** A server binary and what it can do. */
export interface RedisBinary {
  readonly path: string
  readonly product: 'redis' | 'valkey'
  /** major.minor.patch of `--version`; Valkey counts on from Redis 7.2. */
  readonly version: string
  readonly features: {
    /** `--enable-debug-command`, `--enable-protected-configs` and `--cluster-port`: 7.0. */
    readonly debugCommands: boolean
    readonly clusterPort: boolean
    /** SSUBSCRIBE and SPUBLISH: 7.0. */
    readonly shardedPubSub: boolean
  }
}

const NAMES = ['redis-server', 'valkey-server']
const FOLDERS = [
  '/usr/bin',
  '/usr/local/bin',
  '/usr/sbin',
  '/opt/homebrew/bin',
  '/usr/local/opt/redis/bin',
  '/opt/homebrew/opt/redis/bin',
  '/usr/local/opt/valkey/bin',
  '/opt/homebrew/opt/valkey/bin',
  '/home/linuxbrew/.linuxbrew/bin',
]
const OLDEST = [6, 2] as const

/** The server of this machine, undefined without one. Throws for an unusable `REDIS_SERVER_BIN`. */
export function findRedis(): RedisBinary | undefined {
  const chosen = process.env.REDIS_SERVER_BIN
  if (chosen !== undefined && chosen !== '') {
    const binary = inspect(chosen)
    if (binary !== undefined) return binary
    throw new Error(
      `REDIS_SERVER_BIN names ${chosen}, which is not a redis-server or valkey-server >= ${OLDEST.join('.')}. Correct it, or unset it to search the usual folders.`,
    )
  }
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...FOLDERS]
  for (const name of NAMES) {
    for (const folder of new Set(folders)) {
      const path = join(folder, name)
      const binary = isExecutable(path) ? inspect(path) : undefined
      if (binary !== undefined) return binary
    }
  }
  return undefined
}

/** The server of this machine; installs one if there is none and the machine lets us. */
export async function ensureRedis(): Promise<RedisBinary> {
  const found = findRedis()
  if (found !== undefined) return found
  const problem = await installRedis(() => findRedis() !== undefined)
  const installed = findRedis()
  if (installed !== undefined) return installed
  throw new Error(
    `No redis-server or valkey-server >= ${OLDEST.join('.')} was found${problem === undefined ? '' : ` (${problem})`}. Install one:\n${manualCommands()}`,
  )
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function inspect(path: string): RedisBinary | undefined {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 5_000 })
  const [, major, minor, patch] = /\bv=(\d+)\.(\d+)\.(\d+)/.exec(stdout ?? '') ?? []
  if (major === undefined || minor === undefined) return undefined
  const atLeast = (wanted: readonly [number, number]) =>
    Number(major) > wanted[0] || (Number(major) === wanted[0] && Number(minor) >= wanted[1])
  if (!atLeast(OLDEST)) return undefined
  const seven = atLeast([7, 0])
  return {
    path,
    product: /valkey/i.test(stdout) ? 'valkey' : 'redis',
    version: `${major}.${minor}.${patch}`,
    features: { debugCommands: seven, clusterPort: seven, shardedPubSub: seven },
  }
}

function isMain(): boolean {
  // With --eval the first argument is no script and may be anything.
  const script = process.argv[1] ?? ''
  return existsSync(script) && realpathSync(script) === fileURLToPath(import.meta.url)
}

if (isMain()) {
  try {
    const { path, product, version } = await ensureRedis()
    console.error(`${product} ${version}`)
    console.log(path)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
