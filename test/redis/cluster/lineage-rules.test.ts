import { describe, expect, it } from 'vitest'
import { ClusterLineage } from '../../../src/adapters/redis/ioredis/cluster-lineage.ts'
import { SlotTable } from '../../../src/adapters/redis/ioredis/cluster-slot-table.ts'

const SAME_HOST = 'h:0'

/** All slots with one node, and others that are known. */
function tableOf(owner: string, ...others: string[]): SlotTable {
  const node = (id: string) => [Buffer.from('h'), id.charCodeAt(0), Buffer.from(id)]
  return SlotTable.parse([[0, 16_383, ...[owner, ...others].map(node)]], SAME_HOST, (one) => one)
}

const memberOf = (id: string) => ({ id, address: `h:${id.charCodeAt(0)}` })

/** Of a node that runs since `since`, at `now`; ids of replication are single letters. */
const infoOf = (run: string, replication: string, more: Record<string, string> = {}) => ({
  role: 'master',
  run_id: run,
  master_replid: replication,
  master_replid2: '0000',
  uptime_in_seconds: '100',
  aof_enabled: '0',
  rdb_last_load_keys_loaded: '0',
  ...more,
})

function inUse(): ClusterLineage {
  const lineage = new ClusterLineage()
  const table = tableOf('a', 'b')
  lineage.accept(memberOf('a'), infoOf('run-a', 'A'), table, 0)
  lineage.serve(new Set([memberOf('a').address]), table)
  return lineage
}

const NOW = 10_000

describe('the past of a node of a cluster is another one', () => {
  const accept = (lineage: ClusterLineage, id: string, info: Record<string, string>) =>
    lineage.accept(memberOf(id), info, tableOf(id, 'a', 'b'), NOW)

  it('not when it is reached again, nor when its first replica gave it another id', () => {
    expect(accept(inUse(), 'a', infoOf('run-a', 'A'))).toBe('same')
    expect(accept(inUse(), 'a', infoOf('run-a', 'A2'))).toBe('same')
  })

  it('when it has loaded something at its start', () => {
    const loaded = { rdb_last_load_keys_loaded: '5' }
    expect(accept(inUse(), 'a', infoOf('run-2', 'A2', loaded))).toBe('other')
    expect(accept(inUse(), 'a', infoOf('run-2', 'A2', { aof_enabled: '1' }))).toBe('other')
    expect(accept(inUse(), 'a', infoOf('run-2', 'A2'))).toBe('same')
    const { rdb_last_load_keys_loaded: _, ...old } = infoOf('run-2', 'A2')
    expect(accept(inUse(), 'a', old)).toBe('other')
  })

  it('not when it joins empty, but when it has been the replica of nobody knows whom', () => {
    expect(accept(inUse(), 'c', infoOf('run-c', 'C'))).toBe('same')
    expect(accept(inUse(), 'c', infoOf('run-c', 'C', { master_replid2: 'X' }))).toBe('other')
    const loaded = { rdb_last_load_keys_loaded: '5' }
    expect(accept(inUse(), 'c', infoOf('run-c', 'C', loaded))).toBe('other')
  })

  it('not when it succeeds its master, whose own data is then no longer believed', () => {
    const lineage = inUse()
    lineage.lost(memberOf('a').address, NOW - 2000)
    const heir = infoOf('run-b', 'B', { master_replid2: 'A' })
    expect(accept(lineage, 'b', heir)).toBe('same')
    expect(accept(lineage, 'b', heir)).toBe('same')
    expect(accept(lineage, 'a', infoOf('run-a', 'A'))).toBe('other')
  })

  it('not when it takes its place back from its own heir', () => {
    const lineage = inUse()
    expect(accept(lineage, 'b', infoOf('run-b', 'B', { master_replid2: 'A' }))).toBe('same')
    expect(accept(lineage, 'a', infoOf('run-a', 'A3', { master_replid2: 'B' }))).toBe('same')
    expect(accept(lineage, 'b', infoOf('run-b', 'B'))).toBe('other')
  })

  it('when it was started after its master was lost', () => {
    const lineage = inUse()
    lineage.lost(memberOf('a').address, NOW - 5000)
    const late = { master_replid2: 'A', uptime_in_seconds: '2' }
    expect(accept(lineage, 'b', infoOf('run-b', 'B', late))).toBe('other')
  })

  it('not when it succeeds a master that was given another id meanwhile', () => {
    const lineage = inUse()
    lineage.note(memberOf('a'), infoOf('run-a', 'A2'))
    expect(accept(lineage, 'b', infoOf('run-b', 'B', { master_replid2: 'A2' }))).toBe('same')
  })

  it('when nothing is said, and its address is new', () => {
    const lineage = new ClusterLineage()
    const table = tableOf('a')
    lineage.accept(memberOf('a'), {}, table, 0)
    lineage.serve(new Set([memberOf('a').address]), table)
    expect(accept(lineage, 'a', {})).toBe('same')
    expect(accept(lineage, 'c', {})).toBe('other')
  })
})
