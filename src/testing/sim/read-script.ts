import { FRUITLESS_MS, LEASE_LIMIT, PREFIX_BYTES, STAMP_MS } from '../../adapters/redis/scripts.ts'
import type { Reply } from '../../adapters/redis/transport.ts'
import { numberOf, type ScriptCall, stampText } from './script-call.ts'

const NOTHING: Buffer = Buffer.from('0')
const NO_TEXT: Buffer = Buffer.alloc(0)

interface FoundEntry {
  readonly value: Buffer | null
  readonly isFresh: boolean
}

/** The twin of `READ`. */
export function readScript(call: ScriptCall): Reply {
  const [epoch, number] = call.sequence()
  const keys = call.number(2)
  const tags = call.number(3)
  const out: Reply[] = [Buffer.from(epoch), Buffer.from(number), Buffer.from(String(call.now))]
  for (let i = 1; i <= keys; i++) {
    const found = entryOf(call, epoch, i)
    out.push(found.value, ...leaseOf(call, call.key(2 * i + 1), found.isFresh))
  }
  return [...out, ...stampsOf(call, 2 * keys + 2, tags, epoch, number)]
}

/** The twin of `LEASE`. */
export function leaseScript(call: ScriptCall): Reply {
  const [epoch, number] = call.sequence()
  const keys = call.number(2)
  const tags = call.number(3)
  const missing: Reply[] = []
  for (let i = 1; i <= keys; i++) {
    if (call.data.find(call.key(1 + i)) !== undefined) continue
    missing.push(i, ...grant(call, call.key(1 + keys + i), call.text(4), call.number(5)))
  }
  const head = [Buffer.from(epoch), Buffer.from(number), Buffer.from(String(call.now))]
  return [...head, missing, ...stampsOf(call, 2 + 2 * keys, tags, epoch, number)]
}

function stampsOf(
  call: ScriptCall,
  from: number,
  tags: number,
  epoch: string,
  number: string,
): Reply[] {
  const out: Reply[] = []
  for (let i = 0; i < tags; i++) {
    const key = call.key(from + i)
    let stamp = call.stampOf(key, epoch)
    if (!stamp && call.flaw === 'missing-stamp-valid') stamp = { hard: 0, soft: 0 }
    if (!stamp) {
      stamp = { hard: Number(number), soft: Number(number) }
      call.data.set(key, stampText(epoch, stamp.hard, stamp.soft), call.now + STAMP_MS)
    }
    out.push(Buffer.from(String(stamp.hard)), Buffer.from(String(stamp.soft)))
  }
  return out
}

function entryOf(call: ScriptCall, epoch: string, i: number): FoundEntry {
  const value = call.data.find(call.key(2 * i))?.value
  const none = { value: null, isFresh: false }
  if (value === undefined || value instanceof Map || value.length < PREFIX_BYTES) return none
  if (String(value.readUInt32LE(16)) !== epoch) return none
  const known = call.args.length >= 7 + i ? call.text(7 + i) : ''
  const isKnown = known !== '' && numberOf(known) === value.readDoubleLE(0)
  return {
    value: isKnown ? value.subarray(0, PREFIX_BYTES + call.number(7)) : value,
    isFresh: call.now < value.readDoubleLE(8),
  }
}

/** Whether it was granted, and what became of loads that stored nothing. */
function leaseOf(call: ScriptCall, key: string, isFresh: boolean): [number, Reply] {
  const when = call.text(4)
  if (when !== 'always' && (when !== 'stale' || isFresh)) return [0, null]
  return grant(call, key, call.text(5), call.number(6))
}

function grant(call: ScriptCall, key: string, token: string, ms: number): [number, Reply] {
  const found = call.data.find(key)?.value
  const lease = found instanceof Map ? found : undefined
  // Something else in its place is overwritten.
  if (found !== undefined && lease === undefined) call.data.delete(key)
  const failed = lease?.get('f')
  const unstored = lease?.get('x')
  const fruitless =
    failed || unstored ? [failed ?? NOTHING, lease?.get('m') ?? NO_TEXT, unstored ?? NOTHING] : null
  if (isAnothers(lease, token, call.now, ms)) return [2, fruitless]
  const own = call.data.hashForWriting(key)
  own.set('t', Buffer.from(token))
  own.set('u', Buffer.from(String(call.now + ms)))
  call.data.expire(key, call.now + Math.max(ms, FRUITLESS_MS))
  return [1, fruitless]
}

function isAnothers(
  lease: ReadonlyMap<string, Buffer> | undefined,
  token: string,
  now: number,
  ms: number,
): boolean {
  const holder = lease?.get('t')?.toString()
  if (holder === undefined || holder === token) return false
  const left = numberOf(lease?.get('u')?.toString() ?? '') - now
  return left > 0 && left <= LEASE_LIMIT * ms
}
