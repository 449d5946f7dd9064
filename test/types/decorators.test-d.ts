import { describe, expectTypeOf, it } from 'vitest'
import { type CachedFunction, type Codec, cached, createCache } from '../../src/index.ts'

interface Order {
  readonly id: number
}
const cache = createCache({ ttl: '5m' })
declare const codec: Codec<Order>

class Orders {
  readonly tenant = 'a'

  @cached()
  async plain(id: number): Promise<Order> {
    return { id }
  }

  @cache.cached({ scope: (self: Orders) => self.tenant, key: (id: number) => id, codec })
  async scoped(id: number): Promise<Order> {
    return { id }
  }

  @cached({ ttl: (order: Order) => order.id, cacheIf: (order: Order) => order.id > 0 })
  static async ofClass(id: number): Promise<Order> {
    return { id }
  }

  @cached({ tags: (id: number) => [`order:${id}`] })
  async #hidden(id: number): Promise<Order> {
    return { id }
  }

  find(id: number): Promise<Order> {
    return this.#hidden(id)
  }

  @cached({ scope: 'class' })
  async generic<T extends Order>(order: T): Promise<T> {
    return order
  }
}

describe('@cached, TC39', () => {
  it('leaves the type of the method alone', () => {
    const orders = new Orders()
    expectTypeOf(orders.plain).toEqualTypeOf<(id: number) => Promise<Order>>()
    expectTypeOf(orders.scoped).toEqualTypeOf<(id: number) => Promise<Order>>()
    expectTypeOf(Orders.ofClass).toEqualTypeOf<(id: number) => Promise<Order>>()
    expectTypeOf(orders.generic<{ id: 5 }>).returns.resolves.toEqualTypeOf<{ id: 5 }>()
  })

  it('is seen as what it is after one assertion', () => {
    const orders = new Orders()
    const method = orders.plain as CachedFunction<[id: number], Order>
    expectTypeOf(method.for(orders).invalidate).toBeCallableWith(1)
  })

  it('refuses what is no method', () => {
    class Wrong {
      // @ts-expect-error a field
      @cached() field = 1

      // @ts-expect-error a getter
      @cached() get getter(): number {
        return 1
      }

      // @ts-expect-error not among the choices
      @cached({ scope: 'tenant' })
      async method(): Promise<number> {
        return 1
      }

      // @ts-expect-error no option
      @cached({ tll: '5m' })
      async other(): Promise<number> {
        return 1
      }
    }
    expectTypeOf(Wrong).toBeConstructibleWith()
  })
})
