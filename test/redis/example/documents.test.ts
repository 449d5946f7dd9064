import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Program } from '../../../scripts/docs-blocks.ts'
import { allPrograms, needsRedis, readDocument, Workshop } from '../../../scripts/docs-programs.ts'
import { type Cluster, startCluster } from '../servers/cluster.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { type Sentinels, startSentinels } from '../servers/sentinels.ts'
import { startServer } from '../servers/server.ts'

const programs = allPrograms().filter((program) => program.run && needsRedis(program))

let workshop: Workshop
let server: RedisProcess
let sentinels: Sentinels
let cluster: Cluster

beforeAll(async () => {
  server = await startServer()
  ;[workshop, sentinels, cluster] = await Promise.all([
    Workshop.open(),
    startSentinels(server),
    startCluster(),
  ])
  process.env.REDIS_URL = server.url
})
afterAll(async () => {
  delete process.env.REDIS_URL
  await Promise.all([sentinels?.stop(), cluster?.stop(), workshop?.[Symbol.asyncDispose]()])
  await server?.stop()
})

/** With the servers of this test in the place of those that the document names. */
function here(program: Program): Program {
  const code = program.code
    .replaceAll('redis://localhost:6379', server.url)
    .replaceAll(/sentinel-(\d):26379/g, (_, n) => address(sentinels.sentinels[Number(n) - 1]))
    .replaceAll(/node-(\d):6379/g, (_, n) => address(cluster.nodes[Number(n) - 1]))
  return { ...program, code }
}

function address(process: RedisProcess | undefined): string {
  if (!process) throw new Error('The document names more servers than this test has')
  return `${process.host}:${process.port}`
}

describe('code in README.md and docs/ that needs Redis', () => {
  it('is found', () => {
    expect(programs.map(({ file }) => file)).toContain('docs/guides/redis.md')
  })

  for (const program of programs) {
    // Programs use the real clock and the real deadline: a busy machine gets another chance.
    it(`${program.file}:${program.line} gives what it says`, { retry: 2 }, async () => {
      await server.cli('FLUSHALL')
      expect(await workshop.problemsOf(here(program))).toEqual([])
    })
  }
})

describe('the ACL rule of the guide', () => {
  const rule = /^ACL SETUSER (.+)$/m.exec(readDocument('docs/guides/redis.md'))?.[1] ?? ''

  it('lets the cache do all it does, and grants nothing that it does not use', async () => {
    const apart = await startServer()
    try {
      await apart.cli('ACL', 'SETUSER', ...rule.split(' '))
      await apart.cli('CONFIG', 'RESETSTAT')
      const code = SCENARIO.replaceAll('URL', `redis://cache:secret@127.0.0.1:${apart.port}`)
      const program: Program = { file: 'acl.md', line: 1, language: 'ts', run: true, code }
      expect(await workshop.problemsOf(program)).toEqual([])
      expect(await apart.cli('ACL', 'LOG')).toEqual([])
      const used = Object.keys(await apart.info('commandstats'))
      const granted = [...rule.matchAll(/\+(\S+)/g)].map((match) => match[1] as string)
      // Only after SCRIPT FLUSH, or on a server that has just taken over.
      const rare = ['eval']
      expect(
        granted.filter((name) => !rare.includes(name) && !used.includes(`cmdstat_${name}`)),
      ).toEqual([])
    } finally {
      await apart.stop()
    }
  })
})

/** Uses every command: leases that are renewed and given back, stamps, messages, plain reads. */
const SCENARIO = `
import { setTimeout as sleep } from 'node:timers/promises'
import { createCache } from '@org/resilient-cache'
import { redis } from '@org/resilient-cache/redis'

const make = () => createCache({ name: 'shop', ttl: '1m', l2: redis({ url: 'URL' }) })
const a = make()
const b = make()
await Promise.all([a.ready(), b.ready()])
const tags = (id: string) => ['t:' + id]
const load = a.cached(async (id: string) => id, { name: 'load', tags, grace: '5h' })
const there = b.cached(async (id: string) => 'there ' + id, { name: 'load', tags })
const slow = a.cached(async (id: string) => sleep(1900, id), { name: 'slow' })
const fails = a.cached(async (_id: string): Promise<string> => { throw new Error('x') }, { name: 'fails' })
const lasting = a.cached(async (id: string) => id, { name: 'lasting', tags, ttl: Infinity })

await Promise.all([load('1'), slow('1'), fails('1').catch(() => {}), lasting('1')])
await sleep(100)
console.log(await there('1')) // → 1
await a.set('k', 1, { tags: ['u'] }) // → { durable: true }
await b.getMany(['k', 'none']) // → [ 1, undefined ]
await a.expireTag('u') // → { durable: true }
await a.delete('k') // → { durable: true }
await load.invalidate('1') // → { durable: true }
await a.clear() // → { durable: true }
while (await there('1') !== 'there 1') await sleep(10)
await sleep(1100)
const { coherence, scripts, lastError } = a.health().l2
console.log(coherence, scripts, lastError) // → bus true undefined
await Promise.all([a.close(), b.close()])
`
