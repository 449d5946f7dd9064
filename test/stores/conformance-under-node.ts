// Run by `node --test` in conformance.test.ts: the suite needs no runner but node:test.
import { test } from 'node:test'
import { memory } from '../../src/stores/memory-store.ts'
import { storeConformance } from '../../src/testing/store-conformance.ts'

storeConformance({ test, makeStore: () => memory() })
