import type { Endpoint } from '../../adapters/redis/ioredis/discovery.ts'
import type { Settings } from '../../adapters/redis/ioredis/settings.ts'
import type { CliWorld } from '../cli-world.ts'
import { count } from '../text.ts'
import {
  askSentinels,
  masterOf,
  type SentinelAnswer,
  type SentinelTarget,
} from '../wire/ask-sentinel.ts'
import { reach } from '../wire/reach.ts'
import { addressText } from '../wire/route.ts'
import { checkSentinels } from './check-sentinels.ts'
import { examineServer, routeTo } from './examine-server.ts'
import { type Finding, ok, warning } from './finding.ts'
import type { Report } from './report.ts'

const NAT =
  'Sentinels name the address under which they know a server. Behind NAT or in containers set replica-announce-ip and replica-announce-port on the servers (and sentinel announce-ip), so that it is one which services reach.'

export async function examineSentinels(
  target: SentinelTarget,
  settings: Settings,
  world: CliWorld,
  report: Report,
): Promise<void> {
  report.section(`Sentinels of ${target.masterName}`)
  report.wait(count(target.sentinels.length, 'sentinel'))
  const answers = await askSentinels(target, world.clock)
  report.add(...checkSentinels(answers, target.masterName))
  const master = masterOf(answers)
  if (master) {
    await examineMaster(master, settings, world, report)
    await examineReplicas(answers, settings, world, report)
  }
  for (const endpoint of target.standalone) {
    await examineStandalone(endpoint, master, settings, world, report)
  }
}

async function examineMaster(
  master: Endpoint,
  settings: Settings,
  world: CliWorld,
  report: Report,
): Promise<void> {
  const name = addressText(master)
  report.section(`Master ${name}`)
  report.wait(`connecting to ${name}`)
  const route = routeTo(master, settings)
  const reached = await reach(route, world.clock)
  report.add(
    ...reached.findings.map((finding) => (reached.connection ? finding : announced(finding))),
  )
  const expectations = { isClustered: false, isWatched: true, owns: () => true }
  await examineServer(reached, route, expectations, settings, world, report)
}

/** Who could not be reached at all may be reachable under another address. */
function announced(finding: Finding): Finding {
  if (finding.level !== 'problem' || finding.check !== 'connection') return finding
  return {
    ...finding,
    message: `The sentinels name this address, and it cannot be used from here. ${finding.message}`,
    fix: `${finding.fix ?? ''} ${NAT}`.trim(),
  }
}

async function examineReplicas(
  answers: readonly SentinelAnswer[],
  settings: Settings,
  world: CliWorld,
  report: Report,
): Promise<void> {
  const replicas = new Map(
    answers.flatMap((answer) => answer.replicas).map((one) => [addressText(one), one]),
  )
  if (replicas.size === 0) return
  report.section('Replicas')
  report.wait(count(replicas.size, 'replica'))
  const findings = await Promise.all(
    [...replicas].map(async ([name, replica]) => {
      if (/[so]_down/.test(replica.flags)) return down(name)
      return checkReplica(name, replica, settings, world)
    }),
  )
  report.add(...findings.flat())
}

async function checkReplica(
  name: string,
  replica: Endpoint,
  settings: Settings,
  world: CliWorld,
): Promise<Finding[]> {
  const { connection, findings } = await reach(routeTo(replica, settings), world.clock)
  connection?.close()
  return findings.map((finding) => {
    if (finding.level === 'ok') return ok('replica', `${name}: ${finding.message}`)
    return warning(
      'replica',
      `${name}: ${finding.message}`,
      'After a failover this may be the master, and the cache would work without Redis.',
      finding.check === 'connection' ? `${finding.fix ?? ''} ${NAT}` : (finding.fix ?? ''),
    )
  })
}

function down(name: string): Finding[] {
  return [
    warning(
      'replica',
      `${name}: the sentinels see it as down`,
      'It cannot take over when the master dies.',
      'Start it. If it is gone for good: SENTINEL RESET <master name> on each sentinel.',
    ),
  ]
}

async function examineStandalone(
  endpoint: Endpoint,
  master: Endpoint | undefined,
  settings: Settings,
  world: CliWorld,
  report: Report,
): Promise<void> {
  const name = addressText(endpoint)
  report.section(`Standalone ${name}`)
  if (master && addressText(master) === name) {
    report.add(ok('connection', 'the same server as the master'))
    return
  }
  const route = routeTo(endpoint, settings)
  const reached = await reach(route, world.clock)
  report.add(...reached.findings)
  const expectations = { isClustered: false, isWatched: false, owns: () => true }
  await examineServer(reached, route, expectations, settings, world, report)
}
