import { describe, expect, it } from 'vitest'
import { llmKey } from '../../../src/llm/key/llm-key.ts'
import type { LlmKey } from '../../../src/llm/key/llm-key-options.ts'
import { ask } from './requests.ts'

const options = { provider: 'anthropic', tenant: 'acme' }
const image = (url: string) => ({ type: 'image', source: { type: 'url', url } })

async function keyBy(request: unknown, urlSource: (url: string) => string | PromiseLike<string>) {
  return (await llmKey(request, { ...options, urlSource })).key
}

describe('URLs whose contents are asked for', () => {
  it('waits only where there is a URL', () => {
    const urlSource = () => 'digest'
    expect(llmKey(ask('x'), { ...options, urlSource })).not.toBeInstanceOf(Promise)
    expect(llmKey(ask([image('https://a.test')]), { ...options, urlSource })).toBeInstanceOf(
      Promise,
    )
  })

  it('goes by the contents, not by the URL', async () => {
    const a = ask([image('https://a.test/?signature=1')])
    const b = ask([image('https://a.test/?signature=2')])
    const one = await keyBy(a, () => 'contents')
    expect(await keyBy(b, async () => 'contents')).toBe(one)
    expect(await keyBy(a, () => 'other contents')).not.toBe(one)
  })

  it('does not take a digest for a URL of the same text', async () => {
    const request = ask([image('digest')])
    const { key } = llmKey(request, { ...options, urlSource: 'by-url' }) as LlmKey
    expect(await keyBy(request, () => 'digest')).not.toBe(key)
  })

  it('asks once for each URL', async () => {
    const asked: string[] = []
    const request = ask([image('https://a.test'), image('https://b.test'), image('https://a.test')])
    await keyBy(request, (url) => {
      asked.push(url)
      return url
    })
    expect(asked).toEqual(['https://a.test', 'https://b.test'])
  })

  it('tells which URL had which contents', async () => {
    const request = ask([image('https://a.test'), image('https://b.test')])
    const swapped = ask([image('https://b.test'), image('https://a.test')])
    const byName = (url: string) => url.slice(8, 9)
    expect(await keyBy(request, byName)).not.toBe(await keyBy(swapped, byName))
  })

  it('is not cached by anything else', async () => {
    const { bypass } = await llmKey(ask([image('https://a.test')]), {
      ...options,
      urlSource: () => 'd',
    })
    expect(bypass).toBeUndefined()
  })

  it('takes no text of the request for a URL', () => {
    const request = ask('\u0001"https://a.test"\u0001', { '\u0001': '\u0001' })
    const key = llmKey(request, { ...options, urlSource: () => 'd' })
    expect(key).toEqual(llmKey(request, options))
  })

  it('is not moved by what becomes of the request while it waits', async () => {
    const content = [image('https://a.test')]
    const request = ask(content)
    const pending = keyBy(request, async () => 'd')
    content.push(image('https://b.test'))
    expect(await pending).toBe(await keyBy(ask([image('https://a.test')]), () => 'd'))
  })

  it('passes on why the contents could not be had', async () => {
    const request = ask([image('https://a.test'), image('https://b.test')])
    const failure = new Error('404')
    await expect(keyBy(request, () => Promise.reject(failure))).rejects.toBe(failure)
    await expect(
      keyBy(request, () => {
        throw failure
      }),
    ).rejects.toBe(failure)
  })

  it.each([
    ['', 'empty text'],
    [undefined, 'undefined'],
    [5, 'a number'],
  ])('refuses %j as a digest', async (digest, got) => {
    await expect(
      keyBy(ask([image('https://a.test')]), () => digest as never),
    ).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: `urlSource must give the digest of what the URL leads to, as text; got ${got}`,
    })
  })
})
