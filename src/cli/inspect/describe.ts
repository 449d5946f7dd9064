import { inspect } from 'node:util'
import { defaultCodec } from '../../codec/default-codec.ts'
import { HEADER_BYTES } from '../../envelope/header.ts'
import { open } from '../../envelope/open.ts'
import { hashOf } from '../../envelope/seal.ts'
import { byteText, count, plain, span } from '../text.ts'
import type { Found, Lease } from './find-entry.ts'
import { isChecksumRight, standingOf, type Verdict } from './judge.ts'

export type Row = readonly [name: string, value: string]

const HEX_BYTES = 64
const DEFAULT_CODECS = ['rc1', 'rc1-be']

const TAG_TEXTS = {
  valid: 'valid',
  invalidated: 'INVALIDATED since',
  expired: 'EXPIRED since: stale, usable in grace',
  lost: 'STAMP LOST: counts as invalidated',
} as const

/** What was found, as names and values for people. */
export function describe(found: Found, verdict: Verdict): readonly Row[] {
  const { record, header, stored, lifeMs, now } = found
  const rows: Row[] = [['in Redis', plain(found.entryKey)]]
  if (found.slot !== undefined) rows.push(['slot', `${found.slot}, partition ${found.partition}`])
  if (stored && !record) rows.push(['size', byteText(stored.length)])
  if (record) {
    rows.push(['version', `${record.version} of ${found.position?.sequence ?? 'no sequence'}`])
    rows.push(['epoch', epochText(record.epoch, found.position?.epoch)])
  }
  if (header) {
    rows.push(
      ['created', `${instant(header.createdAt, now)}; the origin took ${span(header.loadMs)}`],
      ['fresh until', instant(header.freshUntil, now)],
      ['usable until', instant(header.staleUntil, now)],
    )
  }
  if (stored) rows.push(['gone from Redis', lifeMs === undefined ? 'never' : `in ${span(lifeMs)}`])
  if (header) {
    rows.push(
      ['codec', codecText(header.codecHash)],
      ['size', sizeText(found)],
      ['checksum', isChecksumRight(found) ? 'ok' : 'WRONG'],
      ...tagRows(found),
    )
  }
  rows.push(['lease', leaseText(found.lease, now)])
  rows.push(['verdict', `${verdictWord(verdict)}: ${plain(verdict.reason)}`])
  return rows
}

/** The value, or as much of it as can be shown. */
export function valueText(found: Found, key: string): string {
  const { record, header } = found
  if (!record || !header) return hex(found.stored)
  const payloadAt = HEADER_BYTES + header.tagBytes
  const payload = record.bytes.subarray(payloadAt, payloadAt + header.payloadBytes)
  const codecId = DEFAULT_CODECS.find((id) => hashOf(id) === header.codecHash)
  if (codecId !== defaultCodec.id) return hex(payload)
  const opened = open(record.bytes, { codecId, keyText: key })
  if (!opened.ok) return hex(payload)
  try {
    return inspect(defaultCodec.decode(opened.entry.payload), { depth: 8, maxArrayLength: 100 })
  } catch {
    return hex(opened.entry.payload)
  }
}

export function codecName(hash: number): string {
  return (
    DEFAULT_CODECS.find((id) => hashOf(id) === hash) ?? `0x${hash.toString(16).padStart(8, '0')}`
  )
}

function verdictWord({ standing }: Verdict): string {
  return standing === 'miss' ? 'would be a miss' : standing === 'absent' ? 'not found' : standing
}

function epochText(epoch: number, present: number | undefined): string {
  if (epoch === present) return `${epoch}, the present one`
  return `${epoch}, while the sequence has ${present ?? 'none'}`
}

function codecText(hash: number): string {
  const name = codecName(hash)
  if (name === defaultCodec.id) return `${name}, the default`
  if (DEFAULT_CODECS.includes(name)) return `${name}, of a machine with the other byte order`
  return `one of your own, hash of its id ${name}`
}

function sizeText({ header, stored }: Found): string {
  if (!header) return ''
  const packed = header.compression === 'none' ? '' : ` by ${header.compression}`
  return `${byteText(stored?.length ?? 0)} in all, value ${byteText(header.payloadBytes)}${packed}`
}

function tagRows(found: Found): readonly Row[] {
  const own = found.header?.stampSequence
  if (found.tags.length === 0) return [['tags', `none; loaded at ${own}`]]
  return [
    ['tags', `loaded at ${own}`],
    ...found.tags.map((tag): Row => {
      const { stamp } = tag
      const standing = standingOf(tag, found)
      const number = standing === 'invalidated' ? stamp?.hard : stamp?.soft
      const at = stamp ? ` (stamp ${number})` : ''
      return ['', `${plain(tag.tag)}: ${TAG_TEXTS[standing]}${at}`]
    }),
  ]
}

function leaseText({ isHeld, until, failed, unstored }: Lease, now: number): string {
  const loads = [
    ...(failed > 0 ? [`${count(failed, 'load')} failed lately`] : []),
    ...(unstored > 0 ? [`${count(unstored, 'load')} brought what may not be stored`] : []),
  ]
  const held =
    isHeld && until !== undefined
      ? `held, a load is under way; ends in ${span(until - now)} unless renewed`
      : 'free'
  return [held, ...loads].join('; ')
}

function instant(at: number, now: number): string {
  if (at === Infinity) return 'for ever'
  const relative = at >= now ? `in ${span(at - now)}` : `${span(now - at)} ago`
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? relative : `${date.toISOString()} (${relative})`
}

function hex(bytes: Uint8Array | undefined): string {
  if (!bytes) return ''
  const head = Buffer.from(bytes.subarray(0, HEX_BYTES)).toString('hex')
  const more = bytes.length > HEX_BYTES ? ` … ${byteText(bytes.length)} in all` : ''
  return `${head}${more} (not of the default codec)`
}
