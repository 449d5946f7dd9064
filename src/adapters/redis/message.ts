import type { BusMessage, StampMode } from '../../contracts/store.ts'

// A payload is `<kind> <partition> <epoch> <number> <sender>\n<text>`. The scripts put it together,
// because only they know epoch and number: the head and the tail are what they are given.

/** write, delete, stamp, released, reset */
export type MessageKind = 'w' | 'd' | 's' | 'r' | 'x'

export interface Published {
  readonly kind: MessageKind
  readonly partition: number
  readonly epoch: number
  readonly number: number
  readonly sender: string
  readonly text: string
}

const HEADER = /^([wdsrx]) (\d{1,5}) (\d{1,10}) (\d{1,16}) (\S+)$/

export function messageHead(kind: MessageKind, partition: number): string {
  return `${kind} ${partition}`
}

export function messageTail(sender: string, text: string): string {
  return `${sender}\n${text}`
}

/** `undefined` for what is none of ours. */
export function parsePublished(payload: Buffer): Published | undefined {
  const end = payload.indexOf(10)
  if (end < 0) return undefined
  const parts = HEADER.exec(payload.toString('latin1', 0, end))
  if (!parts) return undefined
  const [, kind, partition, epoch, number, sender] = parts as unknown as string[]
  return {
    kind: kind as MessageKind,
    partition: Number(partition),
    epoch: Number(epoch),
    number: Number(number),
    sender: sender as string,
    text: payload.toString('utf8', end + 1),
  }
}

/** What the cache is told; `undefined` for a reset, of which the new epoch says everything. */
export function busMessageOf({ kind, epoch, number, text }: Published): BusMessage | undefined {
  const position = { sequence: number, epoch }
  switch (kind) {
    case 'w':
      return { kind: 'write', key: text, ...position }
    case 'r':
      return { kind: 'released', key: text, ...position }
    case 'd':
      return { kind: 'delete', keys: texts(JSON.parse(text)), ...position }
    case 's': {
      const { mode, tags } = JSON.parse(text) as { mode?: unknown; tags?: unknown }
      if (mode !== 'hard' && mode !== 'soft') throw new TypeError('no mode')
      return { kind: 'stamp', tags: texts(tags), mode, ...position }
    }
    case 'x':
      return undefined
  }
}

export function stampText(tags: readonly string[], mode: StampMode): string {
  return JSON.stringify({ mode, tags })
}

function texts(value: unknown): string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  throw new TypeError('not a list of texts')
}
