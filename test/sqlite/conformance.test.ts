import { afterAll, beforeAll, describe, test } from 'vitest'
import { sqlite } from '../../src/sqlite.ts'
import { storeConformance } from '../../src/testing/store-conformance.ts'
import { Folder } from './open-file.ts'

const folder = new Folder()

// Held open throughout: the behaviours share one thread instead of starting one each.
beforeAll(async () => {
  await folder.open()
})
afterAll(() => folder.remove())

describe('sqlite', () => {
  storeConformance({ test, makeStore: () => sqlite({ path: folder.file() }) })
})
