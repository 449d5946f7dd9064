/** Plain seconds, with a fraction as some servers send it. */
const NUMBER = /^\d+(?:\.\d+)?$/

/**
 * How long an error or a response asks to be left alone, in milliseconds: its `retryAfterMs`, else the
 * header `Retry-After` (RFC 9110, section 10.2.3: seconds or a date) or `retry-after-ms` of its own
 * headers or of those of the response that it carries.
 * @param wallMs the present instant, in milliseconds since 1970: dates are compared with it
 */
export function retryAfterOf(error: unknown, wallMs: number): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  try {
    const { retryAfterMs, headers, response } = error as Record<string, unknown>
    if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) return retryAfterMs
    const answered = (response as { headers?: unknown } | null | undefined)?.headers
    return inHeaders(headers, wallMs) ?? inHeaders(answered, wallMs)
  } catch {
    // An error whose properties cannot be read asks for nothing.
    return undefined
  }
}

function inHeaders(headers: unknown, wallMs: number): number | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined
  const exact = header(headers, 'retry-after-ms')
  if (exact !== undefined && NUMBER.test(exact)) return Number(exact)
  const text = header(headers, 'retry-after')
  if (text === undefined) return undefined
  if (NUMBER.test(text)) return Number(text) * 1000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - wallMs)
}

/** Of `Headers`, or of an object as Node and most clients have it, in any case. */
function header(headers: object, name: string): string | undefined {
  const { get } = headers as { get?: unknown }
  if (typeof get === 'function')
    return textOf((get as (name: string) => unknown).call(headers, name))
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() === name) return textOf(Array.isArray(value) ? value[0] : value)
  }
  return undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : undefined
}
