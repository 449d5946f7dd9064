import { setTimeout as sleep } from 'node:timers/promises'
import type { RedisProcess } from '../servers/redis-process.ts'
import { until } from '../servers/until.ts'
import type { Battlefield } from './battlefield.ts'

/** What a blow has to go by: the field, its master when it falls, and chance. */
export interface Swing {
  readonly field: Battlefield
  readonly master: RedisProcess
  readonly random: () => number
}

/** One fault. Resolves when it is over, as far as the servers and the network go. */
export interface Blow {
  readonly name: string
  /** Needs a replica to promote. */
  readonly needsReplicas?: boolean
  strike(swing: Swing): Promise<unknown>
}

/** Between the two, evenly. */
function between(random: () => number, from: number, to: number): number {
  return Math.round(from + random() * (to - from))
}

async function untilAnotherMaster({ sentinels }: Battlefield, old: RedisProcess): Promise<void> {
  const isAnother = async () => (await sentinels.master()).port !== old.port
  await until('another master', isAnother, { withinMs: 15_000, everyMs: 20 })
}

async function withConfig(
  master: RedisProcess,
  names: Readonly<Record<string, readonly [during: string, after: string]>>,
  forMs: number,
): Promise<void> {
  for (const [name, [during]] of Object.entries(names)) {
    await master.cli('CONFIG', 'SET', name, during)
  }
  await sleep(forMs)
  for (const [name, [, after]] of Object.entries(names)) {
    await master.cli('CONFIG', 'SET', name, after)
  }
}

export const BLOWS: readonly Blow[] = [
  {
    name: 'kill',
    needsReplicas: true,
    async strike({ field, master }) {
      await master.kill()
      await untilAnotherMaster(field, master)
      await master.start()
    },
  },
  {
    name: 'restart with the data gone',
    async strike({ master }) {
      await master.restart()
    },
  },
  {
    name: 'freeze',
    async strike({ master, random }) {
      // Shorter than it takes the sentinels to notice.
      master.stopSignal()
      await sleep(between(random, 100, 350))
      master.continueSignal()
    },
  },
  {
    name: 'freeze until failover',
    needsReplicas: true,
    async strike({ field, master, random }) {
      master.stopSignal()
      await untilAnotherMaster(field, master)
      await sleep(between(random, 0, 300))
      master.continueSignal()
    },
  },
  {
    name: 'planned failover',
    needsReplicas: true,
    strike: ({ field }) => field.sentinels.failover(),
  },
  {
    name: 'reset',
    async strike({ field, master }) {
      for (const proxy of field.proxies) proxy.reset()
      await master.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    },
  },
  {
    name: 'reset of the subscriptions',
    strike: ({ master }) => master.cli('CLIENT', 'KILL', 'TYPE', 'pubsub'),
  },
  {
    name: 'black hole',
    async strike({ field, random }) {
      const proxy = field.proxies[between(random, 0, 1)]
      const way = (['replies', 'requests', 'both'] as const)[between(random, 0, 2)] ?? 'both'
      proxy?.set({ kind: 'black-hole' }, way)
      await sleep(between(random, 100, 1200))
      proxy?.set({ kind: 'pass' }, 'both')
    },
  },
  {
    name: 'cut within a reply',
    async strike({ field, random }) {
      for (const proxy of field.proxies) {
        proxy.set({ kind: 'cut', afterBytes: between(random, 1, 4000), times: 2 })
      }
      await sleep(between(random, 50, 400))
      for (const proxy of field.proxies) proxy.set({ kind: 'pass' }, 'both')
    },
  },
  {
    name: 'slow line',
    async strike({ field, random }) {
      for (const proxy of field.proxies) {
        proxy.set({ kind: 'delay', ms: between(random, 20, 120) })
      }
      await sleep(between(random, 100, 800))
      for (const proxy of field.proxies) proxy.set({ kind: 'pass' }, 'both')
    },
  },
  { name: 'FLUSHALL', strike: ({ master }) => master.cli('FLUSHALL') },
  { name: 'SCRIPT FLUSH', strike: ({ master }) => master.cli('SCRIPT', 'FLUSH') },
  {
    name: 'out of memory',
    strike: ({ master, random }) =>
      withConfig(
        master,
        { 'maxmemory-policy': ['noeviction', 'noeviction'], maxmemory: ['1mb', '0'] },
        between(random, 100, 600),
      ),
  },
  {
    name: 'too few replicas',
    strike: ({ master, random }) =>
      withConfig(master, { 'min-replicas-to-write': ['9', '0'] }, between(random, 100, 600)),
  },
  {
    name: 'busy server',
    strike: ({ master, random }) =>
      master.cli('DEBUG', 'SLEEP', String(between(random, 50, 400) / 1000)),
  },
]
