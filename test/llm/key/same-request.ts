import fc from 'fast-check'

// The rules once more, in another way: the code goes by shapes, here the path of a member decides.

/** Blocks, tools and the request itself: where the provider puts markers, and null means nothing. */
const OWN =
  /^(|\/system\/\d+|\/tools\/\d+|\/messages\/\d+|\/messages\/\d+\/content\/\d+(\/content\/\d+|\/source)?)$/
const MARKED = /^(|\/system\/\d+|\/tools\/\d+|\/messages\/\d+\/content\/\d+(\/content\/\d+)?)$/
const TEXT = /^(\/system|\/messages\/\d+\/content(\/\d+\/content)?)$/
const BASE64 = /^\/messages\/\d+\/content\/\d+\/source\/data$/
const LEFT_OUT = new Set(['stream', 'metadata', 'service_tier', 'diagnostics', 'timeout'])

/** A value that is deeply equal for requests that are the same, and for no others. */
export function meaningOf(value: unknown, path = ''): unknown {
  if (typeof value === 'string') {
    if (TEXT.test(path)) return ['list', ['object', ['text', value], ['type', 'text']]]
    if (BASE64.test(path)) return bytesOf(value)
    return value
  }
  if (value === undefined) return null
  if (typeof value === 'number') return value + 0
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    return ['list', ...Array.from(value, (item, index) => meaningOf(item, `${path}/${index}`))]
  }
  const members = Object.entries(value)
    .filter(([name, member]) => counts(name, member, path))
    .map(([name, member]) => [name, meaningOf(member, `${path}/${name}`)] as const)
  return ['object', ...members.sort(([a], [b]) => (a < b ? -1 : 1))]
}

function counts(name: string, member: unknown, path: string): boolean {
  if (member === undefined || (member === null && OWN.test(path))) return false
  if (path === '' && LEFT_OUT.has(name)) return false
  return !(name === 'cache_control' && MARKED.test(path))
}

function bytesOf(base64: string): unknown {
  const bytes = Buffer.from(base64, 'base64')
  return bytes.toString('base64') === base64 ? ['bytes', ...bytes] : base64
}

/** Another way to write the same request; `chance` decides which. */
export function written(value: unknown, chance: () => number, path = ''): unknown {
  if (typeof value === 'string') {
    if (!TEXT.test(path) || chance() < 0.5) return value
    return written([{ type: 'text', text: value }], chance, path)
  }
  if (Object.is(value, 0)) return chance() < 0.5 ? -0 : 0
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item, i) => written(item, chance, `${path}/${i}`))
  const members: [string, unknown][] = Object.entries(value).map(([name, member]) => [
    name,
    written(member, chance, `${path}/${name}`),
  ])
  const more: [string, unknown, boolean][] = [
    ['cache_control', { type: 'ephemeral' }, MARKED.test(path)],
    ['stream', true, path === ''],
    ['metadata', { user_id: 'u' }, path === ''],
    ['stop_sequences', null, path === ''],
    ['citations', null, OWN.test(path)],
    ['nothing', undefined, true],
  ]
  for (const [name, member, isAllowed] of more) {
    if (isAllowed && !Object.hasOwn(value, name) && chance() < 0.3) members.push([name, member])
  }
  for (let last = members.length - 1; last > 0; last--) {
    const other = Math.floor(chance() * (last + 1))
    ;[members[last], members[other]] = [members[other] as never, members[last] as never]
  }
  // fromEntries defines members: assigning to __proto__ would not.
  return Object.fromEntries(members)
}

/** Numbers in [0, 1) that come out the same when a failure is tried again. */
export const chances = fc.array(fc.nat(999), { minLength: 8, maxLength: 40 }).map((numbers) => {
  let next = 0
  return () => (numbers[next++ % numbers.length] as number) / 1000
})
