import type * as library from 'undici'

type Undici = typeof library
type Input = Parameters<typeof globalThis.fetch>[0]
type Init = Parameters<typeof globalThis.fetch>[1]

/**
 * What the program made with the classes of Node, as undici's own: it would send the others as the text
 * `[object FormData]`, and take a `Request` for an address.
 */
export function fromGlobals(undici: Undici, input: Input, init: Init): [unknown, object] {
  const { body } = init ?? {}
  const own = { ...init, ...(isNodes(undici, body, 'FormData') && { body: form(undici, body) }) }
  return [isNodes(undici, input, 'Request') ? request(undici, input, body == null) : input, own]
}

function isNodes<N extends 'FormData' | 'Request'>(
  undici: Undici,
  value: unknown,
  name: N,
): value is InstanceType<(typeof globalThis)[N]> {
  return value instanceof globalThis[name] && !(value instanceof undici[name])
}

function form(undici: Undici, from: FormData): library.FormData {
  const own = new undici.FormData()
  for (const [name, value] of from) own.append(name, value as string)
  return own
}

function request(undici: Undici, from: Request, withBody: boolean): library.Request {
  const { method, headers, redirect, signal, credentials, cache, mode } = from
  const { referrer, referrerPolicy, integrity, keepalive, body } = from
  return new undici.Request(from.url, {
    ...{ method, headers, redirect, signal, credentials, cache, mode },
    ...{ referrer, referrerPolicy, integrity, keepalive },
    ...(withBody && body !== null && { body, duplex: 'half' }),
  } as unknown as library.RequestInit)
}
