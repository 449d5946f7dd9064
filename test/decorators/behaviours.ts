import { describe, expect, it, vi } from 'vitest'
import {
  type CachedFunction,
  type CacheOptions,
  cached,
  configureCache,
  createCache,
  memory,
} from '../../src/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'

// The decorators here are compiled as TC39 ones by one project of vitest and as legacy ones by
// another: what a user sees is the same.

/** What TypeScript cannot see of a decorated method. */
const methods = <A extends unknown[], V>(method: (...args: A) => Promise<V>) =>
  method as CachedFunction<A, V>

const setUp = (options: CacheOptions = {}) =>
  createCache({
    name: 'app',
    clock: new FakeClock(),
    random: () => 0.5,
    jitter: 0,
    ttl: '1m',
    ...options,
  })

/** Decorated before the default cache is configured: decorating is not use. */
class Early {
  calls = 0
  @cached({ ttl: '1m', name: 'early' })
  async load(id: number): Promise<number> {
    this.calls++
    return id
  }
}

configureCache({ name: 'default-app' })

export function decoratorBehaviours(): void {
  describe('@cached of the module', () => {
    it('decorates before configureCache is called, and uses what it says', async () => {
      const early = new Early()
      expect([await early.load(1), await early.load(1), early.calls]).toEqual([1, 1, 1])
      expect(methods(early.load).for(early).key(1)).toMatch(/^default-app:early::/)
    })

    it('wraps a function when it is called with one', async () => {
      const origin = vi.fn(async (id: number) => id)
      const fn = cached({ ttl: '1m' })(origin)
      expect([await fn(1), await fn(1)]).toEqual([1, 1])
      expect(origin).toHaveBeenCalledTimes(1)
    })
  })

  describe('a decorated method', () => {
    it('keeps this, its arguments, its name and its length', async () => {
      const cache = setUp()
      class Shop {
        readonly #currency = 'CLP'
        @cache.cached()
        async price(id: number, factor: number): Promise<string> {
          return `${id * factor} ${this.#currency}`
        }
      }
      const shop = new Shop()
      expect(await shop.price(2, 3)).toBe('6 CLP')
      expect(await shop.price(2, 3)).toBe('6 CLP')
      expect(shop.price.name).toBe('price')
      expect(shop.price).toHaveLength(2)
    })

    it('is wrapped once, on the prototype', () => {
      const cache = setUp()
      class Shop {
        @cache.cached()
        async price(id: number): Promise<number> {
          return id
        }
      }
      expect(new Shop().price).toBe(new Shop().price)
      expect(Object.keys(new Shop())).toEqual([])
    })

    it('may be static, its class is this', async () => {
      const cache = setUp()
      // biome-ignore lint/complexity/noStaticOnlyClass: static methods are what is decorated
      class Shop {
        static calls = 0
        static readonly title: string = 'Shop'
        @cache.cached()
        static async price(id: number): Promise<string> {
          Shop.calls++
          // biome-ignore lint/complexity/noThisInStatic: which class it is called on is the point
          return `${this.title} ${id}`
        }
      }
      class Branch extends Shop {
        static override readonly title = 'Branch'
      }
      expect([await Shop.price(1), await Shop.price(1)]).toEqual(['Shop 1', 'Shop 1'])
      expect([await Branch.price(1), await Branch.price(1)]).toEqual(['Branch 1', 'Branch 1'])
      expect(Shop.calls).toBe(2)
      await methods(Shop.price).for(Shop).invalidate(1)
      await Shop.price(1)
      await Branch.price(1)
      expect(Shop.calls).toBe(3)
    })

    it('may have a symbol for a name', async () => {
      const cache = setUp()
      const load = Symbol('load')
      class Shop {
        calls = 0
        @cache.cached({ name: 'load' })
        async [load](id: number): Promise<number> {
          this.calls++
          return id
        }
      }
      const shop = new Shop()
      expect([await shop[load](1), await shop[load](1), shop.calls]).toEqual([1, 1, 1])
    })

    it('may be overridden, and called by super', async () => {
      const cache = setUp()
      const calls: string[] = []
      class Base {
        @cache.cached({ scope: 'class' })
        async load(id: number): Promise<string> {
          calls.push('base')
          return `base ${id}`
        }
      }
      class Derived extends Base {
        @cache.cached({ scope: 'class' })
        override async load(id: number): Promise<string> {
          calls.push('derived')
          return `derived of ${await super.load(id)}`
        }
      }
      class Plain extends Base {
        override async load(id: number): Promise<string> {
          return `plain of ${await super.load(id)}`
        }
      }
      const derived = new Derived()
      expect(await derived.load(1)).toBe('derived of base 1')
      expect(await derived.load(1)).toBe('derived of base 1')
      expect(await new Plain().load(1)).toBe('plain of base 1')
      expect(await new Base().load(1)).toBe('base 1')
      expect(calls).toEqual(['derived', 'base'])
    })

    it('puts the context before the arguments', async () => {
      const cache = setUp()
      class Shop {
        @cache.cached({ context: true })
        async price(...args: unknown[]): Promise<unknown[]> {
          return args
        }
      }
      const [context, ...rest] = await new Shop().price(1, 'x')
      expect(context).toMatchObject({ signal: expect.any(AbortSignal) })
      expect(rest).toEqual([1, 'x'])
    })
  })

  describe('scope', () => {
    it('instance: never shared, and the default', async () => {
      const cache = setUp()
      class Shop {
        readonly owner: string
        calls = 0
        constructor(owner: string) {
          this.owner = owner
        }
        @cache.cached()
        async name(): Promise<string> {
          this.calls++
          return this.owner
        }
        @cache.cached({ scope: 'instance' })
        async price(id: number): Promise<string> {
          this.calls++
          return `${this.owner} ${id}`
        }
      }
      const shops = [new Shop('a'), new Shop('b')]
      for (let round = 0; round < 2; round++) {
        for (const shop of shops) {
          expect(await shop.name()).toBe(shop.owner)
          expect(await shop.price(1)).toBe(`${shop.owner} 1`)
        }
      }
      expect(shops.map((shop) => shop.calls)).toEqual([2, 2])
    })

    it('instance: says how to reach the entries when it is called without one', async () => {
      const cache = setUp()
      class Shop {
        @cache.cached()
        async price(id: number): Promise<number> {
          return id
        }
      }
      const { price } = new Shop()
      const expected = {
        code: 'ERR_INVALID_OPTION',
        message: expect.stringContaining('.for(object)'),
      }
      await expect(price(1)).rejects.toMatchObject(expected)
      await expect(methods(price).invalidate(1)).rejects.toMatchObject(expected)
      expect(() => methods(price).key(1)).toThrow(expect.objectContaining(expected))
    })

    it('class: shared by all instances, those of subclasses too', async () => {
      const cache = setUp()
      const calls: number[] = []
      class Shop {
        @cache.cached({ scope: 'class' })
        async price(id: number): Promise<number> {
          calls.push(id)
          return id
        }
      }
      class Branch extends Shop {}
      for (const shop of [new Shop(), new Shop(), new Branch()]) await shop.price(1)
      expect(calls).toEqual([1])
      await methods(Shop.prototype.price).invalidate(1)
      await new Shop().price(1)
      expect(calls).toEqual([1, 1])
    })

    it('function: shared by those it gives the same name, and part of the key', async () => {
      const cache = setUp({ l2: memory() })
      const calls: string[] = []
      class Shop {
        readonly tenant: string
        constructor(tenant: string) {
          this.tenant = tenant
        }
        @cache.cached({ name: 'price', scope: (self: Shop) => self.tenant })
        async price(id: number): Promise<string> {
          calls.push(this.tenant)
          return `${this.tenant} ${id}`
        }
      }
      const [a, again, b] = [new Shop('a'), new Shop('a'), new Shop('b')] as const
      expect(await Promise.all([a.price(1), again.price(1), b.price(1)])).toEqual([
        'a 1',
        'a 1',
        'b 1',
      ])
      expect(calls).toEqual(['a', 'b'])
      const keyOf = (shop: Shop) => methods(shop.price).for(shop).key(1)
      expect(keyOf(a)).toBe(keyOf(again))
      expect(keyOf(a)).not.toBe(keyOf(b))
      expect(keyOf(a)).toMatch(/^app:price::.*a/)
      await methods(a.price).for(a).invalidate(1)
      expect([await again.price(1), await b.price(1)]).toEqual(['a 1', 'b 1'])
      expect(calls).toEqual(['a', 'b', 'a'])
    })

    it('function: must return text', async () => {
      const cache = setUp()
      class Shop {
        @cache.cached({ scope: () => undefined as never })
        async price(id: number): Promise<number> {
          return id
        }
      }
      await expect(new Shop().price(1)).rejects.toThrow('scope must return text, got undefined')
    })

    it('never shares keys between owners, however odd', async () => {
      const cache = setUp()
      class Shop {
        readonly tenant: string
        constructor(tenant: string) {
          this.tenant = tenant
        }
        @cache.cached({ scope: (self: Shop) => self.tenant })
        async price(...ids: unknown[]): Promise<string> {
          return JSON.stringify([this.tenant, ids])
        }
      }
      const odd = ['', 'a', '~', '~1', "a,'b'", '1']
      const lists = [[], [''], ['a'], ['~1'], [1], ['1'], ['a', 'b'], [['a', 'b']]]
      const keys = new Set<string>()
      for (const tenant of odd) {
        const shop = new Shop(tenant)
        for (const list of lists) {
          expect(await shop.price(...list)).toBe(JSON.stringify([tenant, list]))
          keys.add(
            methods(shop.price)
              .for(shop)
              .key(...list),
          )
        }
      }
      expect(keys.size).toBe(odd.length * lists.length)
    })

    it.each([
      ['missing', {}, "needs scope with an L2: 'class'"],
      ['instance', { scope: 'instance' as const }, "has scope 'instance'"],
    ])('with an L2, %s is an error at first use', async (_, options, message) => {
      const cache = setUp({ l2: memory() })
      class Shop {
        @cache.cached({ name: 'price', ...options })
        async price(id: number): Promise<number> {
          return id
        }
      }
      await expect(new Shop().price(1)).rejects.toMatchObject({
        code: 'ERR_INVALID_OPTION',
        message: expect.stringContaining(message),
      })
      class Local {
        @cache.cached({ l2: false, ...options })
        async price(id: number): Promise<number> {
          return id
        }
      }
      expect(await new Local().price(1)).toBe(1)
    })

    it('makes no owner of an instance that is gone', async () => {
      const cache = setUp()
      class Shop {
        @cache.cached()
        async price(id: number): Promise<object> {
          return { id }
        }
      }
      const first = await new Shop().price(1)
      const second = await new Shop().price(1)
      expect(second).not.toBe(first)
    })
  })

  describe('method.for(object)', () => {
    it('has every method, bound to the object and its entries', async () => {
      const cache = setUp()
      class Shop {
        readonly owner: string
        constructor(owner: string) {
          this.owner = owner
        }
        @cache.cached()
        async price(id: number): Promise<string> {
          return `${this.owner} ${id}`
        }
      }
      const [a, b] = [new Shop('a'), new Shop('b')]
      const ofA = methods(a.price).for(a)
      const ofB = methods(b.price).for(b)
      expect(await ofA(1)).toBe('a 1')
      expect(await ofA.with({ maxAge: '1m' })(1)).toBe('a 1')
      expect(await ofA.refresh(1)).toBe('a 1')
      expect(await ofA.many([[1], [2]])).toEqual(['a 1', 'a 2'])
      expect(await ofB.detail(1)).toMatchObject({ value: 'b 1', source: 'origin' })
      expect([ofA.peek(1), ofB.peek(1), ofB.peek(2)]).toEqual(['a 1', 'b 1', undefined])
      await ofA.set([1], 'by hand')
      expect([await a.price(1), await b.price(1)]).toEqual(['by hand', 'b 1'])
      expect((await ofA.explain(1)).l1.state).toBe('fresh')
      expect(ofA.peekEntry(1)).toMatchObject({ value: 'by hand' })
      await ofA.invalidate(1)
      expect([ofA.peek(1), ofB.peek(1)]).toEqual([undefined, 'b 1'])
      expect(await ofB.warm([[5]])).toEqual({ loaded: 1, failed: 0 })
      expect(ofB.peek(5)).toBe('b 5')
    })

    it('is this to the loads of a method with scope class too', async () => {
      const cache = setUp()
      class Shop {
        readonly #owner = 'a'
        @cache.cached({ scope: 'class' })
        async price(id: number): Promise<string> {
          return `${this.#owner} ${id}`
        }
      }
      const shop = new Shop()
      expect(await methods(shop.price).for(shop).refresh(1)).toBe('a 1')
    })
  })

  it('checks options when decorating', () => {
    const cache = setUp()
    expect(() => {
      class Shop {
        @cache.cached({ tll: '1m' } as object)
        async price(): Promise<number> {
          return 1
        }
      }
      return Shop
    }).toThrow("unknown option of cached(): 'tll'; did you mean 'ttl'?")
  })

  it('gives the cached error for what is called with nonsense', () => {
    const decorator = setUp().cached({ ttl: '1m' }) as (...args: unknown[]) => unknown
    for (const call of [[], ['x'], [{}], [() => 1, 1], [class {}]]) {
      expect(() => decorator(...call)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_OPTION' }),
      )
    }
  })
}

/** What decorating a wrong target says. */
export function refusal(decorate: () => unknown): unknown {
  try {
    decorate()
    return 'no error'
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return code === 'ERR_INVALID_OPTION' ? message : error
  }
}
