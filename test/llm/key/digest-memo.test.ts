import { afterEach, describe, expect, it, vi } from 'vitest'
import { DigestMemo } from '../../../src/llm/key/digest-memo.ts'
import { ask, keyOf } from './requests.ts'

const hash = vi.spyOn(process.getBuiltinModule('node:crypto'), 'hash')
afterEach(() => hash.mockClear())

/** Base64 of 6,000 bytes: 8,000 characters. */
const document = (fill: number) => Buffer.alloc(6000, fill).toString('base64')

/** An equal string that is another object. */
const copyOf = (text: string) => Buffer.from(text).toString()

const hashed = () => hash.mock.calls.filter(([, data]) => typeof data !== 'string').length

describe('digests of binary content', () => {
  it('hashes a large document once, also when it comes as another string', () => {
    const memo = new DigestMemo(100_000)
    const first = memo.textOf(document(1))
    expect(memo.textOf(document(1))).toBe(first)
    expect(memo.textOf(copyOf(document(1)))).toBe(first)
    expect(hashed()).toBe(1)
  })

  it('hashes the document of a conversation once, whatever is asked about it', () => {
    const source = { type: 'base64', media_type: 'application/pdf', data: document(200) }
    const keys = ['a', 'b', 'c'].map((text) =>
      keyOf(
        ask([
          { type: 'document', source },
          { type: 'text', text },
        ]),
      ),
    )
    expect(new Set(keys).size).toBe(3)
    expect(hashed()).toBe(1)
  })

  it('tells documents of one length and one beginning apart', () => {
    const memo = new DigestMemo(100_000)
    const a = `${document(1).slice(0, -4)}AAAA`
    expect(memo.textOf(a)).not.toBe(memo.textOf(document(1)))
  })

  it('holds no more text than it may, and keeps what was used last', () => {
    const memo = new DigestMemo(20_000)
    memo.textOf(document(1))
    memo.textOf(document(2))
    memo.textOf(document(1))
    memo.textOf(document(3))
    hash.mockClear()
    memo.textOf(document(1))
    memo.textOf(document(3))
    expect(hashed()).toBe(0)
    memo.textOf(document(2))
    expect(hashed()).toBe(1)
  })

  it('does not hold a text that is larger than all it may hold', () => {
    const memo = new DigestMemo(10_000)
    memo.textOf(document(1))
    const large = Buffer.alloc(9000, 2).toString('base64')
    memo.textOf(large)
    memo.textOf(large)
    memo.textOf(document(1))
    expect(hashed()).toBe(3)
  })

  it('looks at bytes every time, as they may have been changed', () => {
    const bytes = Buffer.alloc(6000, 1)
    const request = { modelId: 'm', messages: [{ content: [{ image: { source: { bytes } } }] }] }
    const before = keyOf(request, { provider: 'bedrock' })
    bytes[0] = 2
    expect(keyOf(request, { provider: 'bedrock' })).not.toBe(before)
  })

  it.each([
    ['text', 'not base64!'],
    ['base64 for URLs', '-_-_'],
    ['base64 with bits left over', 'QR=='],
    ['a data URL of plain text', 'data:text/plain,QQ=='],
    ['a data URL without its data', 'data:text/plain;base64'],
    ['a data URL of something else', 'data:text/plain;base64,?'],
  ])('leaves %s as it is', (_what, content) => {
    expect(new DigestMemo(1).textOf(content)).toBeUndefined()
  })
})
