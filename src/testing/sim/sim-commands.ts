import type { Argument, Reply } from '../../adapters/redis/transport.ts'
import { CommandError, type Hash, type SimData } from './sim-data.ts'

/** The part of Redis that needs nothing but the data: one function per command. */
export type DataCommand = (data: SimData, args: readonly Argument[]) => Reply

export const OK: Buffer = Buffer.from('OK')
const NOT_AN_INTEGER = 'ERR value is not an integer or out of range'

export function textOf(argument: Argument | undefined): string {
  if (typeof argument === 'string') return argument
  if (argument === undefined) throw new CommandError('ERR wrong number of arguments')
  return typeof argument === 'number' ? String(argument) : bytesOf(argument).toString()
}

export function bytesOf(argument: Argument | undefined): Buffer {
  if (Buffer.isBuffer(argument)) return argument
  if (argument instanceof Uint8Array) {
    return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength)
  }
  return Buffer.from(textOf(argument))
}

export function integerOf(argument: Argument | undefined, error = NOT_AN_INTEGER): number {
  const text = textOf(argument)
  if (!/^-?\d+$/.test(text)) throw new CommandError(error)
  return Number(text)
}

function keysOf(args: readonly Argument[]): string[] {
  if (args.length === 0) throw new CommandError('ERR wrong number of arguments')
  return args.map(textOf)
}

function remove(data: SimData, args: readonly Argument[]): number {
  let count = 0
  for (const key of keysOf(args)) if (data.delete(key)) count++
  return count
}

function set(data: SimData, [name, value, ...options]: readonly Argument[]): Reply {
  const key = textOf(name)
  const bytes = bytesOf(value)
  let expiresAt = Number.POSITIVE_INFINITY
  for (let i = 0; i < options.length; i++) {
    const option = textOf(options[i]).toUpperCase()
    if (option === 'KEEPTTL') expiresAt = data.find(key)?.expiresAt ?? expiresAt
    else if (option === 'PX') {
      const ms = integerOf(options[++i])
      if (ms <= 0) throw new CommandError("ERR invalid expire time in 'set' command")
      expiresAt = data.now + ms
    } else throw new CommandError('ERR syntax error')
  }
  data.set(key, bytes, expiresAt)
  return OK
}

function hset(data: SimData, [key, ...pairs]: readonly Argument[]): number {
  const hash = data.hashForWriting(textOf(key))
  let added = 0
  for (let i = 0; i < pairs.length; i += 2) {
    const field = textOf(pairs[i])
    if (!hash.has(field)) added++
    hash.set(field, bytesOf(pairs[i + 1]))
  }
  return added
}

function hsetnx(data: SimData, [name, field, value]: readonly Argument[]): number {
  const key = textOf(name)
  if (data.hash(key)?.has(textOf(field))) return 0
  data.hashForWriting(key).set(textOf(field), bytesOf(value))
  return 1
}

export function incrementField(data: SimData, key: string, field: string, by: number): number {
  const present = data.hash(key)?.get(field)
  const sum = (present ? integerOf(present, 'ERR hash value is not an integer') : 0) + by
  data.hashForWriting(key).set(field, Buffer.from(String(sum)))
  return sum
}

function hdel(data: SimData, [name, ...fields]: readonly Argument[]): number {
  const key = textOf(name)
  const hash = data.hash(key)
  if (hash === undefined) return 0
  const own: Hash = data.hashForWriting(key)
  let count = 0
  for (const field of fields) if (own.delete(textOf(field))) count++
  if (own.size === 0) data.delete(key)
  return count
}

function pttl(data: SimData, [key]: readonly Argument[]): number {
  const held = data.find(textOf(key))
  if (held === undefined) return -2
  return held.expiresAt === Number.POSITIVE_INFINITY ? -1 : held.expiresAt - data.now
}

function persist(data: SimData, [name]: readonly Argument[]): number {
  const key = textOf(name)
  const held = data.find(key)
  if (held === undefined || held.expiresAt === Number.POSITIVE_INFINITY) return 0
  data.expire(key, Number.POSITIVE_INFINITY)
  return 1
}

export const DATA_COMMANDS: Readonly<Record<string, DataCommand>> = {
  GET: (data, [key]) => data.string(textOf(key)) ?? null,
  MGET: (data, args) =>
    keysOf(args).map((key) => {
      const value = data.find(key)?.value
      return value === undefined || value instanceof Map ? null : value
    }),
  SET: set,
  DEL: remove,
  UNLINK: remove,
  EXISTS: (data, args) => keysOf(args).filter((key) => data.find(key) !== undefined).length,
  HGET: (data, [key, field]) => data.hash(textOf(key))?.get(textOf(field)) ?? null,
  HMGET: (data, [key, ...fields]) => {
    const hash = data.hash(textOf(key))
    return fields.map((field) => hash?.get(textOf(field)) ?? null)
  },
  HSET: hset,
  HSETNX: hsetnx,
  HINCRBY: (data, [key, field, by]) =>
    incrementField(data, textOf(key), textOf(field), integerOf(by)),
  HDEL: hdel,
  PEXPIRE: (data, [key, ms]) => (data.expire(textOf(key), data.now + integerOf(ms)) ? 1 : 0),
  PERSIST: persist,
  PTTL: pttl,
  FLUSHALL: (data) => {
    data.clear()
    return OK
  },
}
