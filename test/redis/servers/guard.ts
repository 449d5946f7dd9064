import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Our end of its standard input closes with this process, however it dies, also by kill -9. A
// stopped process dies only after SIGCONT on some systems.
const SCRIPT = `
trap '' INT TERM HUP
pids=
while read -r verb pid; do
  kept=
  for known in $pids; do [ "$known" = "$pid" ] || kept="$kept $known"; done
  pids=$kept
  if [ "$verb" = add ]; then pids="$pids $pid"; fi
done
for pid in $pids; do kill -CONT "$pid"; kill -KILL "$pid"; done 2>/dev/null
rm -rf "$1"
`

interface Guard {
  readonly folder: string
  readonly children: Set<ChildProcess>
  tell(verb: 'add' | 'forget', pid: number): void
}

let guard: Guard | undefined

/** A folder of this process: gone after its end. */
export function guardedFolder(name: string): string {
  return mkdtempSync(join(currentGuard().folder, `${name}-`))
}

/** Sees to it that the child does not outlive this process. */
export function guardChild(child: ChildProcess): void {
  const { pid } = child
  if (pid === undefined) return
  const { children, tell } = currentGuard()
  children.add(child)
  tell('add', pid)
  child.once('exit', () => {
    children.delete(child)
    tell('forget', pid)
  })
}

function currentGuard(): Guard {
  guard ??= startGuard()
  return guard
}

function startGuard(): Guard {
  const folder = mkdtempSync(join(tmpdir(), 'rc-redis-'))
  // A session of its own: Ctrl+C in the terminal does not reach it.
  const shell = spawn('sh', ['-c', SCRIPT, 'guard', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  shell.unref()
  const input = shell.stdin as unknown as Socket
  input.unref()
  input.on('error', () => {})
  const children = new Set<ChildProcess>()
  process.once('exit', () => {
    for (const child of children) {
      child.kill('SIGCONT')
      child.kill('SIGKILL')
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  return { folder, children, tell: (verb, pid) => input.write(`${verb} ${pid}\n`) }
}
