import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { storeConformance } from '../../src/testing/store-conformance.ts'

const folder = mkdtempSync(join(tmpdir(), 'rc-sqlite-'))
let files = 0

afterAll(() => rmSync(folder, { recursive: true }))

describe('sqlite', () => {
  storeConformance({ test, makeStore: () => sqlite({ path: join(folder, `${files++}.db`) }) })
})
