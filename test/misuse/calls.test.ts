import { expect, it } from 'vitest'
import { createCache, memory } from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { each, refusals, SECRET } from './refusals.ts'

const cache = createCache({ name: 'app', ttl: '1m', clock: new FakeClock(), l2: memory() })
const fn = cache.cached(async (id: unknown) => id, { name: 'f' })
const loose = fn as unknown as Record<string, (...args: unknown[]) => unknown>
const looseCache = cache as unknown as Record<string, (...args: unknown[]) => unknown>

it('getOrSet', async () => {
  const call = (options: unknown) => cache.getOrSet('k', () => 1, options as never)
  const option = (name: string, values: readonly unknown[]) =>
    each(name, values, (value) => call({ [name]: value }))
  expect(
    await refusals({
      'arguments in the wrong order': () => looseCache.getOrSet?.(() => 1, SECRET),
      'no origin': () => looseCache.getOrSet?.(SECRET),
      'an object as origin': () => looseCache.getOrSet?.('k', { ttl: 5 }),
      ...each('options', [null, SECRET, []], call),
      ...option('name', ['x']),
      ...option('key', [() => 1]),
      ...option('tag', [['t']]),
      ...option('context', [true]),
      ...option('ttl', ['5 minutes', -1]),
      ...option('tags', ['t', () => ['t'], [5], [null], null]),
      ...option('signal', [null, new AbortController()]),
      ...option('l1', ['no']),
    }),
  ).toMatchInlineSnapshot()
})

it('set, get and tags', async () => {
  const set = (options: unknown) => cache.set('k', 1, options as never)
  expect(
    await refusals({
      ...each('set options', [null, SECRET, '5m'], set),
      'set grace': () => set({ grace: '1h' }),
      'set tll': () => set({ tll: '1h' }),
      'set ttl': () => set({ ttl: 'soon' }),
      'set tags': () => set({ tags: SECRET }),
      'fn.set without a list': () => loose.set?.(SECRET, 1),
      'fn.set ttl': () => loose.set?.([1], 1, { ttl: null }),
      'fn.set option': () => loose.set?.([1], 1, { tag: ['t'] }),
      'getMany without a list': () => looseCache.getMany?.(SECRET),
      'invalidateTag: a list': () => looseCache.invalidateTag?.(['t']),
      'invalidateTag: a number': () => looseCache.invalidateTag?.(42),
      'expireTag: undefined': () => looseCache.expireTag?.(undefined),
    }),
  ).toMatchInlineSnapshot()
})

it('many, warm and with', async () => {
  expect(
    await refusals({
      'many: no lists': () => loose.many?.(SECRET),
      'many: lists of no lists': () => loose.many?.([1, 2]),
      'many: options null': () => loose.many?.([[1]], null),
      'many: name': () => loose.many?.([[1]], { settled: true }),
      'many: settle': () => loose.many?.([[1]], { settle: 'yes' }),
      'warm: no lists': () => loose.warm?.([1]),
      'warm: name': () => loose.warm?.([[1]], { concurency: 5 }),
      ...each('warm: concurrency', [0, -1, 1.5, Number.NaN, '5', null], (value) =>
        loose.warm?.([[1]], { concurrency: value }),
      ),
      'with: nothing': () => loose.with?.(),
      'with: the arguments': () => loose.with?.(SECRET),
      'with: maxage': () => loose.with?.({ maxage: 5 }),
      'with: maxAge': () => loose.with?.({ maxAge: 'fresh' }),
      'with: maxAge null': () => loose.with?.({ maxAge: null }),
      'with: reload': () => loose.with?.({ reload: 1 }),
      'with: signal': () => loose.with?.({ signal: {} }),
    }),
  ).toMatchInlineSnapshot()
})

it('namespace, ready, close and on', async () => {
  expect(
    await refusals({
      ...each('namespace', ['', 5, null], (value) => cache.namespace(value)),
      'namespace: nothing': () => looseCache.namespace?.(),
      'namespace: options null': () => looseCache.namespace?.('a', null),
      'namespace: name': () => looseCache.namespace?.('a', { name: 'x' }),
      'namespace: l1': () => looseCache.namespace?.('a', { l1: false }),
      'namespace: ttl': () => looseCache.namespace?.('a', { ttl: () => 5 }),
      'namespace: grace': () => looseCache.namespace?.('a', { grace: '1 hour' }),
      'ready: timeout alone': () => looseCache.ready?.('5s'),
      'ready: name': () => looseCache.ready?.({ timeOut: '5s' }),
      'ready: timeout': () => looseCache.ready?.({ timeout: null }),
      'ready: strict': () => looseCache.ready?.({ strict: 'yes' }),
      'close: name': () => looseCache.close?.({ timeout: '5s' }),
      'close: deadline': () => looseCache.close?.({ deadline: 'soon' }),
      'on: name': () => looseCache.on?.('hits', () => {}),
      'on: no name': () => looseCache.on?.(undefined, () => {}),
      'on: no listener': () => looseCache.on?.('hit'),
      'on: not a listener': () => looseCache.on?.('hit', SECRET),
    }),
  ).toMatchInlineSnapshot()
  expect(cache.health().status).toBe('ok')
})
