import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type HttpPool, httpPool } from '../../src/adapters/undici/http-pool.ts'

let pool: HttpPool
let url: string
/** Answers what it was asked, and says that it would keep the connection for longer. */
const server = createServer(async (request, response) => {
  let body = ''
  for await (const part of request) body += part
  response.setHeader('keep-alive', 'timeout=60')
  const { method, headers } = request
  response.end(JSON.stringify({ method, mark: headers.mark, type: headers['content-type'], body }))
})

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  pool = await httpPool()
})
afterAll(async () => {
  await pool.close()
  server.close()
})

it('takes a Request of the program, with its method, headers and body', async () => {
  const made = { method: 'PUT', headers: { mark: 'm' }, body: 'text' }
  const asked = await pool.fetch(new Request(url, made))
  const text = 'text/plain;charset=UTF-8'
  expect(await asked.json()).toEqual({ method: 'PUT', mark: 'm', type: text, body: 'text' })
  const other = await pool.fetch(new Request(url, made), { body: 'other' })
  expect(await other.json()).toMatchObject({ method: 'PUT', body: 'other' })
  const plain = await pool.fetch(new Request(url))
  expect(await plain.json()).toMatchObject({ method: 'GET', body: '' })
})

it('aborts with the signal of such a Request', async () => {
  const signal = AbortSignal.abort(new Error('client left'))
  await expect(pool.fetch(new Request(url, { signal }))).rejects.toThrow('client left')
})

it('sends a FormData of the program as a form', async () => {
  const form = new FormData()
  form.append('name', 'value')
  form.append('file', new File(['inside'], 'a.txt'))
  const answer = (await (await pool.fetch(url, { method: 'POST', body: form })).json()) as {
    type: string
    body: string
  }
  expect(answer.type).toMatch(/^multipart\/form-data/)
  expect(answer.body).toContain('name="name"\r\n\r\nvalue')
  expect(answer.body).toContain('filename="a.txt"')
  expect(answer.body).toContain('inside')
})

it('rejects, and does not throw, for what it cannot use', async () => {
  await expect(pool.fetch('no address')).rejects.toThrow('Failed to parse URL')
})

it('keeps an idle connection no longer than keepAlive, whatever the server offers', async () => {
  const hasty = await httpPool({ keepAlive: 50 })
  try {
    await (await hasty.fetch(url)).text()
    expect(hasty.stats().connections).toBe(1)
    await expect.poll(() => hasty.stats().connections, { timeout: 3000 }).toBe(0)
  } finally {
    await hasty.close()
  }
})
