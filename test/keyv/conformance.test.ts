import Keyv, { KeyvBridgeAdapter } from 'keyv'
import { describe, test } from 'vitest'
import { keyv } from '../../src/keyv.ts'
import { storeConformance } from '../../src/testing/store-conformance.ts'

describe('keyv over a Keyv', () => {
  storeConformance({ test, makeStore: () => keyv(new Keyv()) })
})

describe('keyv over a bare Map', () => {
  storeConformance({ test, makeStore: () => keyv(new Map<string, string>()) })
})

describe('keyv over a storage adapter of Keyv 6', () => {
  storeConformance({ test, makeStore: () => keyv(new KeyvBridgeAdapter(asyncMap())) })
})

/** As a driver of a database would be: every answer later, and a copy. */
function asyncMap() {
  const map = new Map<string, string>()
  return {
    async get(key: string) {
      return map.get(key)
    },
    async set(key: string, value: string) {
      map.set(key, value)
      return true
    },
    async delete(key: string) {
      return map.delete(key)
    },
    async clear() {
      map.clear()
    },
  }
}
