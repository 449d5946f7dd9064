import type { Position, Stamp } from '../../contracts/store.ts'
import { unavailable } from './session-errors.ts'
import type { Reply } from './transport.ts'

export function listOf(reply: Reply | undefined): readonly Reply[] {
  if (Array.isArray(reply)) return reply
  throw unexpected()
}

export function textOf(reply: Reply | undefined): string | undefined {
  if (reply instanceof Uint8Array) return reply.toString()
  return typeof reply === 'number' ? String(reply) : undefined
}

/** A number of a sequence or an instant, which come as texts where a script made them. */
export function numberOf(reply: Reply | undefined): number {
  const text = textOf(reply)
  const number = text === undefined || text === '' ? Number.NaN : Number(text)
  if (Number.isNaN(number)) throw unexpected()
  return number
}

/** Of `HMGET q e n`; `undefined` where there is no sequence, or half of one. */
export function positionOf(reply: Reply | undefined): Position | undefined {
  const [epoch, number] = listOf(reply)
  if (textOf(epoch) === undefined || textOf(number) === undefined) return undefined
  return { epoch: numberOf(epoch), sequence: numberOf(number) }
}

/** Of `TIME`, in whole milliseconds as the scripts count. */
export function timeOf(reply: Reply | undefined): number {
  const [seconds, micros] = listOf(reply)
  return numberOf(seconds) * 1000 + Math.floor(numberOf(micros) / 1000)
}

/** A stamp as it is stored; `undefined` where it is missing or of another epoch. */
export function stampOf(reply: Reply | undefined, epoch: number): Stamp | undefined {
  const parts = /^(\d+) (\d+) (\d+)$/.exec(textOf(reply) ?? '')
  if (!parts || Number(parts[1]) !== epoch) return undefined
  return { hard: Number(parts[2]), soft: Number(parts[3]) }
}

function unexpected(): Error {
  return unavailable(
    'Redis gave an answer of another shape than expected: is a proxy or another program in between?',
  )
}
