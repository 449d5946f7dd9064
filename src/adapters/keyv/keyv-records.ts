// How entries, stamps and sequences look in the backend: one line of text each, because text comes back
// as it went through every serialisation, compression and database that Keyv knows.

import type { Stamp } from '../../contracts/store.ts'

const MARK = 'rc1'

export interface Entry {
  readonly bytes: Uint8Array
  readonly version: number
  readonly epoch: number
  readonly keepUntil: number
}

export interface Sequence {
  readonly epoch: number
  readonly number: number
}

/** Names of one space in the backend. The kinds differ in their first part, so none meets another. */
export function namesOf(space: string) {
  const own = encodeURIComponent(space)
  return {
    entry: (key: string) => `entry:${key}`,
    stamp: (tag: string) => `stamp:${own}:${tag}`,
    sequence: `sequence:${own}`,
  }
}

export function encodeEntry({ bytes, version, epoch, keepUntil }: Entry): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  return `${MARK}e ${version} ${epoch} ${keepUntil} ${text}`
}

/** `undefined` for whatever another program may have stored there. */
export function decodeEntry(value: unknown): Entry | undefined {
  const parts = split(value, 'e', 4)
  if (!parts) return undefined
  const [version, epoch, keepUntil] = parts.slice(0, 3).map(Number) as [number, number, number]
  if (!isCount(version) || !isCount(epoch) || Number.isNaN(keepUntil)) return undefined
  // A copy: small Buffers share one memory, which would be sent or kept along with each.
  return { bytes: new Uint8Array(Buffer.from(parts[3] ?? '', 'base64')), version, epoch, keepUntil }
}

export function encodePair(kind: 's' | 'q', first: number, second: number): string {
  return `${MARK}${kind} ${first} ${second}`
}

export function decodeSequence(value: unknown): Sequence | undefined {
  const pair = decodePair(value, 'q')
  return pair && { epoch: pair[0], number: pair[1] }
}

export function decodeStamp(value: unknown): Stamp | undefined {
  const pair = decodePair(value, 's')
  return pair && { hard: pair[0], soft: pair[1] }
}

function decodePair(value: unknown, kind: 's' | 'q'): [number, number] | undefined {
  const parts = split(value, kind, 2)
  const [first, second] = (parts ?? []).map(Number)
  return isCount(first) && isCount(second) ? [first, second] : undefined
}

function split(value: unknown, kind: string, parts: number): string[] | undefined {
  if (typeof value !== 'string' || !value.startsWith(`${MARK}${kind} `)) return undefined
  const found = value.slice(MARK.length + kind.length + 1).split(' ')
  return found.length === parts ? found : undefined
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0
}
