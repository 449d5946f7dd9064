import { LRUCache } from 'lru-cache'

/** What the caches hold in every scene: a small object, about 280 bytes as JSON. */
export function sampleValue(id: number) {
  return {
    id,
    rut: `${12_000_000 + id}-5`,
    name: 'Comercial Ejemplo Limitada',
    address: { street: 'Avenida Siempreviva 742', city: 'Concepción', region: 'Biobío' },
    contacts: ['ventas@ejemplo.test', 'pagos@ejemplo.test'],
    active: true,
    limits: { credit: 1_500_000, days: 30 },
    updatedAt: '2026-11-24T12:00:00.000Z',
  }
}

export const MAX_ENTRIES = 10_000
export const TTL_MS = 3_600_000

/** The reference of the promises: lru-cache by itself, with a ttl and the same bound. */
export function bareLru<K extends {}>(): LRUCache<K, object> {
  return new LRUCache<K, object>({ max: MAX_ENTRIES, ttl: TTL_MS })
}

/** About 1,000 bytes as JSON. */
export function kilobyteValue(id: number) {
  return {
    ...sampleValue(id),
    notes: Array.from({ length: 8 }, (_, line) => ({
      line,
      at: '2026-11-24T12:00:00.000Z',
      text: `Observación ${id + line}: pago recibido`,
    })),
  }
}
