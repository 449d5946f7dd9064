import { describe, expect, it } from 'vitest'
import { isCachedAnswer } from '../../../src/llm/prompt-cache/cached-answer.ts'
import { promptCache } from '../../../src/llm/prompt-cache/prompt-cache.ts'
import { answer } from './anthropic-answers.ts'

const layer = promptCache({ provider: 'anthropic', tenant: 'acme' })

describe('an answer from the cache', () => {
  it('is a copy that shows where it came from, and looks the same', () => {
    const original = answer()
    const marked = layer.mark(original)
    expect(isCachedAnswer(marked)).toBe(true)
    expect(isCachedAnswer(original)).toBe(false)
    expect(marked).not.toBe(original)
    expect(marked).toEqual(original)
    expect(JSON.stringify(marked)).toBe(JSON.stringify(original))
    expect(Reflect.ownKeys(marked as object)).toEqual(Reflect.ownKeys(original))
    expect(layer.mark(marked)).toBe(marked)
  })

  it('keeps its members whatever they are called', () => {
    const odd = JSON.parse('{"__proto__":{"admin":true},"a":1}') as object
    const marked = layer.mark(odd) as object
    expect(Object.getPrototypeOf(marked)).toBe(Object.prototype)
    expect(Object.keys(marked)).toEqual(['__proto__', 'a'])
    const bare = layer.mark(Object.assign(Object.create(null), { a: 1 })) as object
    expect(Object.getPrototypeOf(bare)).toBeNull()
    expect(isCachedAnswer(bare)).toBe(true)
  })

  it('is returned as it is where it is no plain object', () => {
    for (const value of ['text', 7, null, undefined, [1], new Map(), new Date(0)]) {
      expect(layer.mark(value)).toBe(value)
      expect(isCachedAnswer(value)).toBe(false)
    }
  })
})
