import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/facade/create-cache.ts'
import { cachedStream } from '../../../src/llm/stream/cached-stream.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { ScriptedStream, settle } from './scripted-stream.ts'

interface Reader {
  readonly next: () => Promise<IteratorResult<string, undefined>>
  readonly leave: () => Promise<unknown>
  readonly got: string[]
  end: 'done' | 'left' | 'failed' | undefined
  busy: boolean
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('join' as const) }) },
  { weight: 16, arbitrary: fc.record({ kind: fc.constant('read' as const), who: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), who: fc.nat(5) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('push' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const) }) },
)

class World {
  readonly clock = new FakeClock()
  readonly cache = createCache({ clock: this.clock })
  readonly readers: Reader[] = []
  /** What each call of the origin has sent, and how it ended. */
  readonly calls: { stream: ScriptedStream<string>; sent: string[]; end?: 'end' | 'fail' }[] = []
  readonly ask

  constructor(onAbandon: 'abort' | 'finish', maxItems: number) {
    this.ask = cachedStream(
      () => {
        const stream = new ScriptedStream<string>()
        this.calls.push({ stream, sent: [] })
        return stream
      },
      { cache: this.cache, name: 'ask', ttl: '1h', clock: this.clock, onAbandon, maxItems },
    )
  }

  join(): void {
    const stream = this.ask()
    const next = () => stream.next()
    const leave = () => stream.return()
    this.readers.push({ next, leave, got: [], end: undefined, busy: false })
  }

  read(reader: Reader): void {
    if (reader.busy || reader.end) return
    reader.busy = true
    reader
      .next()
      .then(
        ({ done, value }) => {
          if (!done) reader.got.push(value)
          else reader.end ??= 'done'
        },
        () => {
          reader.end = 'failed'
        },
      )
      .finally(() => {
        reader.busy = false
      })
  }

  leave(reader: Reader): void {
    if (reader.end) return
    reader.end = 'left'
    void reader.leave()
  }

  push(): void {
    for (const [number, call] of this.calls.entries()) {
      if (call.end) continue
      const item = `${number}:${call.sent.length}`
      call.sent.push(item)
      call.stream.push(item)
    }
  }

  end(kind: 'end' | 'fail'): void {
    for (const call of this.calls) {
      if (call.end) continue
      call.end = kind
      if (kind === 'end') call.stream.end()
      else call.stream.fail(new Error('cut'))
    }
  }

  async play(steps: readonly { kind: string; who?: number }[]): Promise<void> {
    for (const { kind, who = 0 } of steps) {
      const reader = this.readers[who % Math.max(1, this.readers.length)]
      if (kind === 'join') this.join()
      else if (kind === 'push') this.push()
      else if (kind === 'end' || kind === 'fail') this.end(kind)
      else if (reader && kind === 'read') this.read(reader)
      else if (reader) this.leave(reader)
      await settle()
    }
  }

  /** All who are left read to the end of what they read. */
  async finish(): Promise<void> {
    for (let round = 0; round < 200 && this.readers.some(({ end }) => !end); round++) {
      this.end('end')
      for (const reader of this.readers) this.read(reader)
      await settle()
    }
  }

  check(): void {
    for (const { got, end } of this.readers) {
      const number = got.length === 0 ? undefined : Number(got[0]?.split(':')[0])
      const call = number === undefined ? undefined : this.calls[number]
      expect(got).toEqual(call?.sent.slice(0, got.length) ?? [])
      if (end === 'done' && call) {
        expect(got).toEqual(call.sent)
        expect(call.end).toBe('end')
      }
      expect(end).toBeDefined()
    }
  }
}

describe('whatever readers do', () => {
  it('each gets a beginning of one stream without a gap, and who gets to the end has all of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }),
        fc.constantFrom('abort' as const, 'finish' as const),
        fc.constantFrom(2, 1000),
        async (steps, onAbandon, maxItems) => {
          const world = new World(onAbandon, maxItems)
          await world.play(steps)
          await world.finish()
          world.check()
          // Whoever comes now gets something whole: what is stored, what is being finished, or a new one.
          world.join()
          await world.finish()
          world.check()
          expect(world.readers.at(-1)?.end).toBe('done')
          expect(world.clock.pending).toBe(0)
          await world.cache.close()
        },
      ),
      { numRuns: 100 },
    )
  })
})
