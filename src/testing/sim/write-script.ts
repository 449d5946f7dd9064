import { PREFIX_BYTES, STAMP_MS } from '../../adapters/redis/scripts.ts'
import type { Reply } from '../../adapters/redis/transport.ts'
import { type ScriptCall, stampText } from './script-call.ts'

/** The twin of `WRITE`. */
export function writeScript(call: ScriptCall): Reply {
  const [epoch] = call.sequence()
  const token = call.text(2)
  const isCommit = token !== ''
  const keep = keepOf(call, 6)
  if (isCommit) {
    const reason = refusal(call, epoch, token)
    if (reason !== undefined) return Buffer.from(reason)
  } else if (call.text(4) !== '' && call.now > call.number(4)) return Buffer.from('late')
  const missing = new Map<number, number>()
  for (let i = 4; i <= call.keys.length; i++) {
    const stamp = call.stampOf(call.key(i), epoch)
    const hard = stamp?.hard ?? call.bucket(8 + i)
    const soft = stamp?.soft ?? hard
    if (!stamp) missing.set(i, hard)
    if (isCommit && Math.max(hard, soft) > call.number(4)) return Buffer.from('tag-changed')
  }
  const number = call.increment()
  for (let i = 4; i <= call.keys.length; i++) {
    touch(call, call.key(i), epoch, missing.get(i), keep)
  }
  storeEntry(call, epoch, number, keep)
  call.data.delete(call.key(3))
  call.publish(8, epoch, number)
  return [Buffer.from(number)]
}

/** The twin of `TOUCH`. */
export function touchScript(call: ScriptCall): Reply {
  const [epoch] = call.sequence()
  const keep = keepOf(call, 2)
  for (let i = 2; i <= call.keys.length; i++) {
    const isMissing = call.stampOf(call.key(i), epoch) === undefined
    touch(call, call.key(i), epoch, isMissing ? call.bucket(1 + i) : undefined, keep)
  }
  return 1
}

function refusal(call: ScriptCall, epoch: string, token: string): string | undefined {
  if (call.text(3) !== '' && call.text(3) !== epoch) return 'epoch-changed'
  if (call.flaw === 'no-lease-check') return undefined
  return call.holds(call.key(3), token) ? undefined : 'lease-lost'
}

function keepOf(call: ScriptCall, at: number): number {
  return call.number(at) - call.now
}

/** A stamp has to live as long as the entries that it may kill. */
function touch(
  call: ScriptCall,
  key: string,
  epoch: string,
  missing: number | undefined,
  keep: number,
): void {
  const { data, now } = call
  if (missing !== undefined) data.set(key, stampText(epoch, missing, missing), now + STAMP_MS)
  if (keep === Number.POSITIVE_INFINITY) {
    data.expire(key, keep)
    return
  }
  const left = (data.find(key)?.expiresAt ?? Number.POSITIVE_INFINITY) - now
  if (left < keep) data.expire(key, now + Math.ceil(keep))
}

function storeEntry(call: ScriptCall, epoch: string, number: string, keep: number): void {
  const { data, now } = call
  const key = call.key(2)
  if (keep <= 0) {
    data.delete(key)
    return
  }
  const bytes = call.bytes(7)
  const value = Buffer.allocUnsafe(PREFIX_BYTES + bytes.length)
  value.writeDoubleLE(Number(number), 0)
  value.writeDoubleLE(call.number(5), 8)
  value.writeUInt32LE(Number(epoch), 16)
  bytes.copy(value, PREFIX_BYTES)
  data.set(key, value, now + Math.max(1, Math.ceil(keep)))
}
