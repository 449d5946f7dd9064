import type { Argument } from '../../adapters/redis/transport.ts'
import { bytesOf, incrementField, textOf } from './sim-commands.ts'
import { CommandError, type SimData } from './sim-data.ts'

/** What is wrong on purpose in a simulated Redis. */
export type ScriptFlaw = 'keeps-lease' | 'no-lease-check' | 'missing-stamp-valid' | 'no-epoch'

export interface Stamps {
  readonly hard: number
  readonly soft: number
}

/** One call of a script: what Lua code has at hand, and the steps that several scripts share. */
export class ScriptCall {
  readonly data: SimData
  readonly keys: readonly string[]
  readonly args: readonly Argument[]
  readonly flaw: ScriptFlaw | undefined
  readonly #publish: (channel: string, payload: Buffer) => void

  constructor(
    data: SimData,
    keys: readonly string[],
    args: readonly Argument[],
    publish: (channel: string, payload: Buffer) => void,
    flaw?: ScriptFlaw,
  ) {
    this.data = data
    this.keys = keys
    this.args = args
    this.flaw = flaw
    this.#publish = publish
  }

  get now(): number {
    return this.data.now
  }

  /** Numbered as in Lua. */
  key(at: number): string {
    const key = this.keys[at - 1]
    if (key === undefined) throw new CommandError('ERR a script lacks a key')
    return key
  }

  text(at: number): string {
    return textOf(this.args[at - 1])
  }

  number(at: number): number {
    return numberOf(this.text(at))
  }

  bytes(at: number): Buffer {
    return bytesOf(this.args[at - 1])
  }

  /** Epoch and number of the sequence, which begins anew where it is missing. */
  sequence(): readonly [epoch: string, number: string] {
    const key = this.key(1)
    const hash = this.data.hash(key)
    const epoch = hash?.get('e')
    const number = hash?.get('n')
    if (epoch && number) return [epoch.toString(), number.toString()]
    return [this.begin(), '0']
  }

  begin(): string {
    const key = this.key(1)
    const epoch = this.flaw === 'no-epoch' ? '1' : this.text(1)
    this.data.delete(key)
    const fresh = this.data.hashForWriting(key)
    fresh.set('e', Buffer.from(epoch))
    fresh.set('n', Buffer.from('0'))
    return epoch
  }

  increment(): string {
    return String(incrementField(this.data, this.key(1), 'n', 1))
  }

  stampOf(key: string, epoch: string): Stamps | undefined {
    const value = this.data.find(key)?.value
    if (value === undefined || value instanceof Map) return undefined
    const parts = /^(\d+) (\d+) (\d+)$/.exec(value.toString())
    if (parts === null || parts[1] !== epoch) return undefined
    return { hard: Number(parts[2]), soft: Number(parts[3]) }
  }

  bucket(at: number): number {
    if (this.flaw === 'missing-stamp-valid') return 0
    return Number(
      this.data
        .hash(this.key(1))
        ?.get(`b${this.text(at)}`)
        ?.toString() ?? '0',
    )
  }

  /** Whether the lease of a key is this token's. */
  holds(key: string, token: string): boolean {
    const lease = this.data.hash(key)
    if (lease?.get('t')?.toString() !== token) return false
    return this.now < numberOf(lease.get('u')?.toString() ?? '')
  }

  /** From the argument that names the command on: command, channel, head, tail. */
  publish(from: number, epoch: string, number: string): void {
    if (this.text(from).toUpperCase() !== 'PUBLISH') return
    const middle = Buffer.from(` ${epoch} ${number} `)
    const payload = Buffer.concat([this.bytes(from + 2), middle, this.bytes(from + 3)])
    this.#publish(this.text(from + 1), payload)
  }
}

/** As Lua reads numbers. */
export function numberOf(text: string): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY
  const number = text === '' ? Number.NaN : Number(text)
  if (Number.isNaN(number)) throw new CommandError('ERR attempt to compare nil with number')
  return number
}

export function stampText(epoch: string, hard: number, soft: number): Buffer {
  return Buffer.from(`${epoch} ${hard} ${soft}`)
}
