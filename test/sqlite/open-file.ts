import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SqliteSession } from '../../src/adapters/sqlite/sqlite-session.ts'
import type { StoreState } from '../../src/contracts/store.ts'
import { realClock } from '../../src/kernel/real-clock.ts'
import { type SqliteOptions, sqlite } from '../../src/sqlite.ts'

/** A folder of its own, and every session in it closed at the end. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'rc-sqlite-'))
  readonly #sessions: SqliteSession[] = []

  file(name = 'cache.db'): string {
    return join(this.path, name)
  }

  /** Opens the store, and waits for its first state. */
  async open(options: Partial<SqliteOptions> = {}): Promise<{
    session: SqliteSession
    states: StoreState[]
  }> {
    const states: StoreState[] = []
    const store = sqlite({ path: this.file(), ...options })
    let session: SqliteSession | undefined
    await new Promise<void>((resolve) => {
      session = store.open({
        clock: realClock,
        random: Math.random,
        space: 's',
        onState: (state) => {
          states.push(state)
          resolve()
        },
      }) as SqliteSession
      this.#sessions.push(session)
    })
    return { session: session as SqliteSession, states }
  }

  async remove(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.close()))
    rmSync(this.path, { recursive: true, force: true })
  }
}

export async function put(session: SqliteSession, key: string, content: string | Uint8Array) {
  const until = Date.now() + 600_000
  return session.write({
    key,
    bytes: typeof content === 'string' ? Buffer.from(content) : content,
    freshUntil: until,
    keepUntil: until,
  })
}

export async function textOf(session: SqliteSession, key: string): Promise<string | undefined> {
  const { records } = await session.read({ keys: [key], tags: [] })
  return records[0] && Buffer.from(records[0].bytes).toString()
}
