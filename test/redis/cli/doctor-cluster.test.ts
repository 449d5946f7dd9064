import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../servers/cluster.ts'
import { startServer } from '../servers/server.ts'
import { diagnose } from './run-cli.ts'

describe('doctor with a cluster', () => {
  let cluster: Cluster
  let first: string

  beforeAll(async () => {
    cluster = await startCluster({ replicas: 1, fullCoverage: false })
    first = `127.0.0.1:${cluster.masters[0]?.port}`
  })
  afterAll(() => cluster.stop())

  it('looks at every master, each with keys of its own, and finds the replicas', async () => {
    await expect
      .poll(async () => (await diagnose(['--cluster', first])).of('replicas'), { timeout: 10_000 })
      .toEqual(['ok: every master has one'])
    const found = await diagnose(['--cluster', `${first},127.0.0.1:1`])
    expect(found.at('problem')).toEqual([])
    expect(found.of('slots')).toEqual(['ok: all 16384 are served'])
    expect(found.of('node')).toContainEqual(expect.stringMatching(/^warning: 127\.0\.0\.1:1: /))
    for (const check of ['permissions', 'scripts', 'bus', 'latency']) {
      expect(found.of(check)).toHaveLength(3)
      expect(found.of(check).join()).not.toMatch(/problem|warning/)
    }
    expect(found.of('replica')).toHaveLength(3)
    for (const node of cluster.masters) expect(await node.cli('DBSIZE')).toBe(0)
  })

  it('refuses one node of it that was given as a url', async () => {
    const found = await diagnose([`redis://${first}`])
    expect(found.of('role')[0]).toMatch(/^problem: It is a node of a Redis Cluster/)
    expect(found.code).toBe(1)
  })

  it('counts the slots that nobody serves', async () => {
    const [node] = cluster.masters
    await node?.cli('CLUSTER', 'DELSLOTS', '0', '1', '2')
    try {
      expect((await diagnose(['--cluster', first])).of('slots')).toEqual([
        'problem: 3 of 16384 slots are served by nobody',
      ])
    } finally {
      await node?.cli('CLUSTER', 'ADDSLOTS', '0', '1', '2')
    }
  })

  it('tells a single server from a cluster', async () => {
    const server = await startServer()
    try {
      const found = await diagnose(['--cluster', `127.0.0.1:${server.port}`])
      expect(found.of('cluster')).toEqual(['problem: The server is not part of a Redis Cluster'])
    } finally {
      await server.stop()
    }
  })
})
