import {
  DELETE,
  FRUITLESS_MS,
  LEASE,
  READ,
  RELEASE,
  RENEW,
  RESET,
  type Script,
  STAMP_MS,
  STAMP_TAGS,
  TOUCH,
  WRITE,
} from '../../adapters/redis/scripts.ts'
import type { Reply } from '../../adapters/redis/transport.ts'
import { leaseScript, readScript } from './read-script.ts'
import { type ScriptCall, stampText } from './script-call.ts'
import { incrementField } from './sim-commands.ts'
import { touchScript, writeScript } from './write-script.ts'

// What each Lua script does, a second time in TypeScript. A test runs both side by side.

export type ScriptTwin = (call: ScriptCall) => Reply

const NEVER = Number.POSITIVE_INFINITY

function deleteScript(call: ScriptCall): Reply {
  const [epoch] = call.sequence()
  const number = call.increment()
  call.keys.forEach((key, i) => {
    const isLease = i > 0 && i % 2 === 0
    if (i > 0 && !(isLease && call.flaw === 'keeps-lease')) call.data.delete(key)
  })
  call.publish(2, epoch, number)
  return Buffer.from(number)
}

function stampScript(call: ScriptCall): Reply {
  const [epoch] = call.sequence()
  const number = call.increment()
  const isHard = call.text(2) === 'hard'
  for (let i = 2; i <= call.keys.length; i++) {
    const key = call.key(i)
    const stamp = call.stampOf(key, epoch)
    const before = stamp ?? { hard: call.bucket(5 + i), soft: call.bucket(5 + i) }
    const hard = isHard ? Number(number) : before.hard
    const soft = isHard ? before.soft : Number(number)
    const expiresAt = stamp ? (call.data.find(key)?.expiresAt ?? NEVER) : call.now + STAMP_MS
    call.data.set(key, stampText(epoch, hard, soft), expiresAt)
    call.data.hashForWriting(call.key(1)).set(`b${call.text(5 + i)}`, Buffer.from(number))
  }
  call.publish(3, epoch, number)
  return Buffer.from(number)
}

function renewScript(call: ScriptCall): Reply {
  const key = call.key(1)
  if (!call.holds(key, call.text(1))) return 0
  const ms = call.number(2)
  call.data.hashForWriting(key).set('u', Buffer.from(String(call.now + ms)))
  call.data.expire(key, call.now + Math.max(ms, FRUITLESS_MS))
  return 1
}

function releaseScript(call: ScriptCall): Reply {
  const { data } = call
  const key = call.key(2)
  if (!call.holds(key, call.text(2))) return 0
  const [epoch] = call.sequence()
  const number = call.increment()
  const lease = data.hashForWriting(key)
  lease.delete('t')
  lease.delete('u')
  if (lease.size === 0) data.delete(key)
  if (call.text(3) === 'failed') {
    incrementField(data, key, 'f', 1)
    data.hashForWriting(key).set('m', call.bytes(4))
  } else if (call.text(3) === 'unstored') {
    incrementField(data, key, 'x', 1)
  }
  data.expire(key, call.now + FRUITLESS_MS)
  call.publish(5, epoch, number)
  return 1
}

function resetScript(call: ScriptCall): Reply {
  const epoch = call.begin()
  call.publish(2, epoch, '0')
  return Buffer.from(epoch)
}

const TWINS: ReadonlyArray<readonly [Script, ScriptTwin]> = [
  [READ, readScript],
  [LEASE, leaseScript],
  [WRITE, writeScript],
  [TOUCH, touchScript],
  [DELETE, deleteScript],
  [STAMP_TAGS, stampScript],
  [RENEW, renewScript],
  [RELEASE, releaseScript],
  [RESET, resetScript],
]

export interface KnownScript {
  readonly script: Script
  readonly twin: ScriptTwin
}

/** By digest. */
export const SCRIPTS_BY_SHA: ReadonlyMap<string, KnownScript> = new Map(
  TWINS.map(([script, twin]) => [script.sha, { script, twin }]),
)
/** By text. */
export const SCRIPTS_BY_SOURCE: ReadonlyMap<string, KnownScript> = new Map(
  TWINS.map(([script, twin]) => [script.source, { script, twin }]),
)
