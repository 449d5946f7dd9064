import type { Endpoint } from '../../adapters/redis/ioredis/discovery.ts'
import { parseInfo } from '../../adapters/redis/ioredis/server-info.ts'
import type { Settings } from '../../adapters/redis/ioredis/settings.ts'
import { KeySpace, STAMPS } from '../../adapters/redis/key-space.ts'
import type { CliWorld } from '../cli-world.ts'
import type { Connection } from '../wire/connection.ts'
import { faultOf } from '../wire/fault.ts'
import { type Reached, reach } from '../wire/reach.ts'
import { type Route, UNUSABLE } from '../wire/route.ts'
import { checkBus, checkOutputBuffer } from './check-bus.ts'
import { checkIdentity } from './check-identity.ts'
import { checkMemory } from './check-memory.ts'
import { checkPermissions, userOf } from './check-permissions.ts'
import { checkReplication } from './check-replication.ts'
import { checkScripts } from './check-scripts.ts'
import { checkClock, checkLatency } from './check-times.ts'
import { problem } from './finding.ts'
import { dropCanary, type Patient } from './patient.ts'
import type { Report } from './report.ts'

export interface Expectations {
  readonly isClustered: boolean
  /** Somebody would promote a replica. */
  readonly isWatched: boolean
  /** Whether this server has the keys of a hash tag. */
  owns(hashTag: string): boolean
}

export function routeTo(endpoint: Endpoint, { credentials, tls, db }: Settings): Route {
  return { endpoint, credentials, tls, db }
}

/** Everything about one server that was reached, and closes its connection. */
export async function examineServer(
  { connection }: Reached,
  route: Route,
  expectations: Expectations,
  settings: Settings,
  world: CliWorld,
  report: Report,
): Promise<void> {
  if (!connection) return
  try {
    await examine(connection, route, expectations, settings, world, report)
  } catch (error) {
    const { what, fix } = faultOf(error)
    report.add(problem('connection', what, UNUSABLE, fix))
  } finally {
    connection.close()
  }
}

async function examine(
  connection: Connection,
  route: Route,
  expectations: Expectations,
  settings: Settings,
  world: CliWorld,
  report: Report,
): Promise<void> {
  const { isClustered, isWatched } = expectations
  const [text, least, buffer] = await connection.all([
    ['INFO'],
    ['CONFIG', 'GET', 'min-replicas-to-write'],
    ['CONFIG', 'GET', 'client-output-buffer-limit'],
  ])
  const info = Buffer.isBuffer(text) ? parseInfo(text.toString()) : {}
  const identity = checkIdentity(info, isClustered, userOf(settings))
  report.add(...identity)
  if (identity.some(({ check, level }) => check === 'role' && level === 'problem')) return
  if (info.loading === '1') return
  const leastReplicas = Array.isArray(least) ? Number(String(least[1] ?? 0)) : 0
  report.add(...checkReplication(info, leastReplicas, isWatched), ...checkMemory(info))
  const patient: Patient = {
    connection,
    reach: () => reach(route, world.clock),
    info,
    settings,
    world,
    space: canarySpace(settings, world, expectations),
    isClustered,
  }
  await operate(patient, report)
  report.add(checkOutputBuffer(buffer ?? null))
  report.wait('round trips')
  report.add(await checkLatency(patient), await checkClock(patient))
}

async function operate(patient: Patient, report: Report): Promise<void> {
  report.wait('commands')
  try {
    const { findings, canWrite } = await checkPermissions(patient)
    report.add(...findings)
    if (canWrite) {
      report.wait('scripts')
      report.add(...(await checkScripts(patient)))
    }
  } finally {
    await dropCanary(patient)
  }
  report.wait('messages')
  report.add(...(await checkBus(patient)))
}

function canarySpace(settings: Settings, world: CliWorld, { owns }: Expectations): KeySpace {
  for (;;) {
    const name = `doctor-${Math.floor(world.random() * 2 ** 40).toString(36)}`
    const space = new KeySpace(settings.prefix, name, false)
    if (owns(space.hashTag(STAMPS))) return space
  }
}
