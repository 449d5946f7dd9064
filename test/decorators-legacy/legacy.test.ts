import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/index.ts'
import { decoratorBehaviours, refusal } from '../decorators/behaviours.ts'

describe('legacy decorators', () => {
  decoratorBehaviours()

  it('keep the rest of the descriptor', () => {
    const cache = createCache({ ttl: '1m' })
    class Shop {
      @cache.cached()
      async price(id: number): Promise<number> {
        return id
      }
    }
    expect(Object.getOwnPropertyDescriptor(Shop.prototype, 'price')).toMatchObject({
      enumerable: false,
      writable: true,
      configurable: true,
    })
  })

  describe('say what they cannot decorate', () => {
    // biome-ignore lint/suspicious/noExplicitAny: what the types refuse is what is tested
    const cached = (): any => createCache({ ttl: '1m' }).cached({})

    it('a field', () => {
      expect(
        refusal(() => {
          class Shop {
            @cached() price = 1
          }
          return Shop
        }),
      ).toMatchInlineSnapshot(
        `"@cached decorates methods, not a field named 'price': make it a method, or wrap a function with cached(fn, options)"`,
      )
    })

    it('a getter', () => {
      expect(
        refusal(() => {
          class Shop {
            @cached() get price() {
              return 1
            }
          }
          return Shop
        }),
      ).toMatchInlineSnapshot(
        `"@cached decorates methods, not a getter named 'price': make it a method, or wrap a function with cached(fn, options)"`,
      )
    })

    it('a setter', () => {
      expect(
        refusal(() => {
          class Shop {
            @cached() set price(_value: number) {}
          }
          return Shop
        }),
      ).toMatchInlineSnapshot(
        `"@cached decorates methods, not a setter named 'price': make it a method, or wrap a function with cached(fn, options)"`,
      )
    })

    it('a parameter', () => {
      // Biome parses no parameter decorators: this is what the compiler makes of one.
      const decorate = cached()
      expect(refusal(() => decorate({}, 'price', 0))).toMatchInlineSnapshot(
        `"@cached decorates methods, not a parameter of 'price': decorate the method itself, or wrap a function with cached(fn, options)"`,
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
        `"cached wraps functions and methods, not classes; 'Shop' is one: decorate its methods, or wrap a function that makes an instance"`,
      )
    })
  })
})
