import { afterAll, beforeAll, describe, test } from 'vitest'
import { storeConformance } from '../../../src/testing/store-conformance.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startServer } from '../servers/server.ts'
import { age } from './aging.ts'
import { direct } from './direct-transport.ts'
import { SETTINGS, storeOver } from './redis-store.ts'

const servers: RedisProcess[] = []

beforeAll(async () => {
  servers.push(...(await Promise.all([startServer(), startServer()])))
  const [one] = servers as [RedisProcess]
  await one.cli('ACL', 'SETUSER', 'plain', 'on', '>secret', '~*', '&*', '+@all', '-@scripting')
})

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
})

const advance = (ms: number): Promise<void> => age(servers, ms)
const cleanup = async (): Promise<void> => {
  await Promise.all(servers.map((server) => server.cli('FLUSHALL')))
}
const one = (): number[] => servers.slice(0, 1).map(({ port }) => port)

describe('one server', () => {
  storeConformance({
    test,
    advance,
    cleanup,
    makeStore: () => storeOver(direct({ ports: one() })),
  })
})

describe('keys spread over two servers', () => {
  storeConformance({
    test,
    advance,
    cleanup,
    partitioned: true,
    makeStore: () => storeOver(direct({ ports: servers.map(({ port }) => port) })),
  })
})

describe('a user who may not run scripts', () => {
  storeConformance({
    test,
    advance,
    cleanup,
    makeStore: () =>
      storeOver(
        direct({ ports: one(), username: 'plain', password: 'secret' }),
        { ...SETTINGS, coherence: 'ttl-only' },
        { leases: false, atomic: false },
      ),
  })
})
