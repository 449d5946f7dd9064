import { STAMPS } from '../../adapters/redis/key-space.ts'
import type { Reply } from '../../adapters/redis/transport.ts'
import { byteText, milliseconds } from '../text.ts'
import type { Connection } from '../wire/connection.ts'
import { within } from '../wire/open-socket.ts'
import { refusalOf, userOf } from './check-permissions.ts'
import { type Finding, ok, problem, warning } from './finding.ts'
import { type Patient, versionOf } from './patient.ts'
import { percentile } from './percentile.ts'

const ROUNDS = 10
const ARRIVES_MS = 1000
const LEAST_BUFFER = 1024 * 1024
const WITHOUT =
  'Other processes are not told of changes at once: each keeps what it has in L1 until it is compared with Redis.'

/** A message through the channel of the cache, from one connection to another. */
export async function checkBus(patient: Patient): Promise<readonly Finding[]> {
  const { connection: listener, findings } = await patient.reach()
  if (!listener) return findings.filter(({ level }) => level === 'problem')
  try {
    const isSharded = patient.isClustered && versionOf(patient.info)[0] >= 7
    const channel = patient.space.channel(STAMPS, isSharded)
    const subscribed = await listener.ask(isSharded ? 'SSUBSCRIBE' : 'SUBSCRIBE', channel)
    if (subscribed instanceof Error) return [refused(subscribed, 'subscribe', isSharded, patient)]
    return [await publish(patient, listener, isSharded ? 'SPUBLISH' : 'PUBLISH', channel)]
  } finally {
    listener.close()
  }
}

async function publish(
  patient: Patient,
  listener: Connection,
  command: 'PUBLISH' | 'SPUBLISH',
  channel: string,
): Promise<Finding> {
  const { clock } = patient.world
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const arrived = Promise.withResolvers<void>()
    listener.onMessage = () => arrived.resolve()
    const from = clock.now()
    const reply = await patient.connection.ask(command, channel, 'canary')
    if (reply instanceof Error) return refused(reply, 'publish', command === 'SPUBLISH', patient)
    try {
      await within(clock, ARRIVES_MS, arrived.promise, () => {})
    } catch {
      return lost()
    }
    times.push(clock.now() - from)
  }
  const lag = `${milliseconds(percentile(times, 0.5))}, at most ${milliseconds(Math.max(...times))}`
  return ok('bus', `a message takes ${lag}`)
}

function lost(): Finding {
  return problem(
    'bus',
    `A message that was published did not arrive within ${ARRIVES_MS} ms`,
    WITHOUT,
    "Check whether a proxy stands in between that does not pass pub/sub; else set coherence: 'ttl-only'.",
  )
}

function refused(
  error: Error,
  verb: 'publish' | 'subscribe',
  isSharded: boolean,
  patient: Patient,
): Finding {
  const refusal = refusalOf(error)
  const { prefix } = patient.settings
  if (refusal === 'absent') {
    return warning(
      'bus',
      `This server has no pub/sub (${verb} is missing)`,
      WITHOUT,
      "Set coherence: 'ttl-only' so that L1 copies are short.",
    )
  }
  const command = isSharded ? `s${verb}` : verb
  if (refusal === 'channel') {
    return problem(
      'bus',
      `The user ${userOf(patient.settings)} may not use channels that begin with ${prefix}:`,
      WITHOUT,
      `ACL SETUSER ${userOf(patient.settings)} &${prefix}:*`,
    )
  }
  const names = isSharded
    ? '+spublish +ssubscribe +sunsubscribe'
    : '+publish +subscribe +unsubscribe'
  return problem(
    'bus',
    `The user ${userOf(patient.settings)} may not ${command}`,
    WITHOUT,
    `ACL SETUSER ${userOf(patient.settings)} ${names} &${prefix}:*`,
  )
}

/** Of a server that says: most users may not ask. */
export function checkOutputBuffer(reply: Reply): Finding | undefined {
  if (!Array.isArray(reply) || !Buffer.isBuffer(reply[1])) return undefined
  const limits = /pubsub (\d+) (\d+) (\d+)/.exec(reply[1].toString())
  if (!limits) return undefined
  const [hard = 0, soft = 0, seconds = 0] = limits.slice(1).map(Number)
  if (hard === 0) return ok('output-buffer', 'no limit for subscribers')
  const text = `client-output-buffer-limit pubsub ${byteText(hard)}, ${byteText(soft)} for ${seconds} s`
  if (hard >= LEAST_BUFFER) return ok('output-buffer', text)
  return warning(
    'output-buffer',
    text,
    'A process that is busy for a moment is cut off, and compares its whole L1 with Redis after that.',
    'CONFIG SET client-output-buffer-limit "pubsub 32mb 8mb 60", and the same in redis.conf.',
  )
}
