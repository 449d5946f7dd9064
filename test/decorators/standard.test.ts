import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/index.ts'
import { decoratorBehaviours, refusal } from './behaviours.ts'

describe('TC39 decorators', () => {
  decoratorBehaviours()

  it('decorate private methods', async () => {
    const cache = createCache({ ttl: '1m' })
    class Shop {
      calls = 0
      @cache.cached()
      async #load(id: number): Promise<number> {
        this.calls++
        return id
      }
      @cache.cached()
      static async #count(): Promise<number> {
        return 7
      }
      price(id: number): Promise<number> {
        return this.#load(id)
      }
      static count(): Promise<number> {
        return Shop.#count()
      }
    }
    const [one, other] = [new Shop(), new Shop()]
    expect([await one.price(1), await one.price(1), await other.price(1)]).toEqual([1, 1, 1])
    expect([one.calls, other.calls]).toEqual([1, 1])
    expect(await Shop.count()).toBe(7)
  })

  describe('say what they cannot decorate', () => {
    // biome-ignore lint/suspicious/noExplicitAny: what the types refuse is what is tested
    const cached = (): any => createCache({ ttl: '1m' }).cached({})

    it('a field', () => {
      expect(
        refusal(
          () =>
            class {
              @cached() price = 1
            },
        ),
      ).toMatchInlineSnapshot(
        `"@cached decorates methods, not a field named 'price': make it a method, or wrap a function with cached(fn, options)"`,
      )
    })

    it('an accessor', () => {
      expect(
        refusal(
          () =>
            class {
              @cached() accessor price = 1
            },
        ),
      ).toMatchInlineSnapshot(
        `"@cached decorates methods, not an accessor named 'price': make it a method, or wrap a function with cached(fn, options)"`,
      )
    })

    it('a getter', () => {
      expect(
        refusal(
          () =>
            class {
              @cached() get price() {
                return 1
              }
            },
        ),
      ).toMatchInlineSnapshot(
        `"@cached decorates methods, not a getter named 'price': make it a method, or wrap a function with cached(fn, options)"`,
      )
    })

    it('a setter', () => {
      expect(
        refusal(
          () =>
            class {
              @cached() set price(_value: number) {}
            },
        ),
      ).toMatchInlineSnapshot(
        `"@cached decorates methods, not a setter named 'price': make it a method, or wrap a function with cached(fn, options)"`,
      )
    })

    it('a class', () => {
      expect(
        refusal(() => {
          @cached()
          class Shop {}
          return Shop
        }),
      ).toMatchInlineSnapshot(
        `"@cached decorates methods, not a class named 'Shop': decorate its methods, or wrap a function with cached(fn, options)"`,
      )
    })
  })
})
