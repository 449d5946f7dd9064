import { spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { releaseLock, takeLock } from './pid-lock.ts'

interface PackageManager {
  readonly command: string
  /** Homebrew refuses to run as root, the others need it. */
  readonly asRoot: boolean
  readonly script: string
}

// The package starts a server on 6379 and at every boot; we want the binary only. `exit 101` is how
// Debian is told not to start what it installs.
const APT = `
export DEBIAN_FRONTEND=noninteractive
if [ ! -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
fi
apt-get -o DPkg::Lock::Timeout=120 update || exit 1
apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends redis-server || exit 1
if command -v systemctl > /dev/null; then systemctl disable redis-server > /dev/null 2>&1; fi
true
`

const MANAGERS: readonly PackageManager[] = [
  { command: 'apt-get', asRoot: true, script: APT },
  { command: 'apk', asRoot: true, script: 'apk add --no-cache redis' },
  { command: 'dnf', asRoot: true, script: 'dnf install -y redis || dnf install -y valkey' },
  { command: 'brew', asRoot: false, script: 'brew install redis' },
]

const LOCK = join(tmpdir(), 'rc-install-redis.lock')
const LONGEST_MS = 300_000

/** What a person can type where we may not, or could not, install it ourselves. */
export function manualCommands(): string {
  return [
    '  Debian, Ubuntu   sudo apt-get update && sudo apt-get install -y redis-server',
    '  Alpine, Fedora   sudo apk add redis          sudo dnf install -y redis',
    '  macOS            brew install redis',
    '  elsewhere        export REDIS_SERVER_BIN=/path/to/redis-server',
  ].join('\n')
}

/**
 * Installs redis-server with the package manager of the system and says so on stderr. Resolves to
 * the reason when it could not. Of several processes one installs, the others wait for it.
 */
export async function installRedis(isThere: () => boolean): Promise<string | undefined> {
  if (process.env.RC_NO_INSTALL === '1') return 'RC_NO_INSTALL=1 forbids installing it'
  const manager = MANAGERS.find(({ command }) => succeeds('sh', ['-c', `command -v ${command}`]))
  if (manager === undefined) return 'no known package manager'
  const prefix = privileges(manager)
  if (prefix === undefined) return 'neither root nor passwordless sudo'

  const deadline = performance.now() + LONGEST_MS
  while (!takeLock(LOCK)) {
    if (performance.now() > deadline) return `${LOCK} is held by another process`
    await sleep(200)
  }
  try {
    if (isThere()) return undefined
    console.error(
      `redis-server was not found: installing it with ${manager.command} (RC_NO_INSTALL=1 forbids this)`,
    )
    return await run(manager, prefix)
  } finally {
    releaseLock(LOCK)
  }
}

function privileges(manager: PackageManager): readonly string[] | undefined {
  if (!manager.asRoot || process.getuid?.() === 0) return []
  return succeeds('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined
}

function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0
}

async function run(
  manager: PackageManager,
  prefix: readonly string[],
): Promise<string | undefined> {
  const [command = 'sh', ...args] = [...prefix, 'sh', '-c', manager.script]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: LONGEST_MS })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-2_000)
    })
  }
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  child.once('error', (error) => resolve(`${manager.command}: ${error.message}`))
  child.once('close', (code) =>
    resolve(code === 0 ? undefined : `${manager.command} failed:\n${output}`),
  )
  return promise
}
