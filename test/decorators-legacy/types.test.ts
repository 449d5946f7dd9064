import { expect, expectTypeOf, it } from 'vitest'
import { type CachedFunction, cached, createCache } from '../../src/index.ts'

// `tsc -p test/decorators-legacy` checks the types of this file.

interface Order {
  readonly id: number
}
const cache = createCache({ ttl: '5m' })

class Orders {
  readonly tenant = 'a'

  @cached({ ttl: '5m' })
  async plain(id: number): Promise<Order> {
    return { id }
  }

  @cache.cached({ scope: (self: Orders) => self.tenant, key: (id: number) => id })
  async scoped(id: number): Promise<Order> {
    return { id }
  }

  @cached({ scope: 'class', ttl: (order: Order) => order.id })
  static async ofClass(id: number): Promise<Order> {
    return { id }
  }
}

it('leaves the type of the method alone', async () => {
  const orders = new Orders()
  expectTypeOf(orders.plain).toEqualTypeOf<(id: number) => Promise<Order>>()
  expectTypeOf(orders.scoped).toEqualTypeOf<(id: number) => Promise<Order>>()
  expectTypeOf(Orders.ofClass).toEqualTypeOf<(id: number) => Promise<Order>>()
  const method = orders.plain as CachedFunction<[id: number], Order>
  expectTypeOf(method.for(orders).invalidate).toBeCallableWith(1)
  expect(await orders.plain(1)).toEqual({ id: 1 })
})
