import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { createCache } from '../../../src/facade/create-cache.ts'
import { cachedStream } from '../../../src/llm/stream/cached-stream.ts'
import { sqlite } from '../../../src/sqlite.ts'
import { ended, said } from '../../sqlite/child-process.ts'
import { collect } from './scripted-stream.ts'

const at = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)

const folder = mkdtempSync(join(tmpdir(), 'rc-stream-'))
const path = join(folder, 'cache.db')

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Stores one stream, then is in the middle of another. */
const CHILD = `
  import { createCache } from ${at('../../../src/facade/create-cache.ts')}
  import { cachedStream } from ${at('../../../src/llm/stream/cached-stream.ts')}
  import { sqlite } from ${at('../../../src/sqlite.ts')}
  const cache = createCache({ name: 'crash', l2: sqlite({ path: ${JSON.stringify(path)}, timeout: 5000 }) })
  await cache.ready({ timeout: '10s' })
  const ask = cachedStream(async function* (question) {
    yield 'a'
    yield 'b'
    yield 'c'
  }, { cache, name: 'ask', ttl: '1h' })
  for await (const item of ask('whole')) {}
  await cache.close()
  const again = createCache({ name: 'crash', l2: sqlite({ path: ${JSON.stringify(path)}, timeout: 5000 }) })
  await again.ready({ timeout: '10s' })
  const askAgain = cachedStream(async function* () {
    yield 'a'
    yield 'b'
    process.stdout.write('middle\\n')
    await new Promise((resolve) => setTimeout(resolve, 60_000))
  }, { cache: again, name: 'ask', ttl: '1h' })
  for await (const item of askAgain('cut')) {}
`

describe('a process that is killed in the middle of a stream', () => {
  it('has stored nothing of it; what had ended before is there', async () => {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', CHILD], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const end = ended(child)
    await said(child, 'middle')
    child.kill('SIGKILL')
    expect((await end).signal).toBe('SIGKILL')

    const database = new DatabaseSync(path, { readOnly: true })
    const count = (table: string) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n
    // Of the second one there is its lease, and nothing else.
    expect([count('entries'), count('leases')]).toEqual([1, 1])
    database.close()

    const cache = createCache({ name: 'crash', l2: sqlite({ path, timeout: 5000 }) })
    await cache.ready({ timeout: '10s' })
    const ask = cachedStream(
      async function* (_question: string) {
        yield 'x'
      },
      { cache, name: 'ask', ttl: '1h' },
    )
    expect(await collect(ask('whole'))).toEqual(['a', 'b', 'c'])
    await cache.close()
  }, 30_000)
})
