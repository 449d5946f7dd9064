// memoryDriver serializes by default; `serialize: false` is its documented fast setup.
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'

export const id = 'bentocache'
export const variants = ['serialize: false', 'default']
export const objectKeys = 'by hand'
export const unsupported = {}

export async function setup({ variant, ttlMs = 3_600_000, max = 10_000, keyOf, origin, tags }) {
  const driver = variant === 'default' ? { maxItems: max } : { maxItems: max, serialize: false }
  const bento = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver(driver)) },
  })
  const fn = tags
    ? (arg) =>
        bento.getOrSet({ key: keyOf(arg), ttl: ttlMs, tags: ['bench'], factory: () => origin(arg) })
    : (arg) => bento.getOrSet({ key: keyOf(arg), ttl: ttlMs, factory: () => origin(arg) })
  return { fn, fill: fn, bento }
}

export async function teardown({ bento }) {
  await bento.disconnectAll()
}
