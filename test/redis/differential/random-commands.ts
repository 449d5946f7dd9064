import {
  DELETE,
  LEASE,
  READ,
  RELEASE,
  RENEW,
  RESET,
  type Script,
  STAMP_TAGS,
  TOUCH,
  WRITE,
} from '../../../src/adapters/redis/scripts.ts'
import type { Argument, Command } from '../../../src/adapters/redis/transport.ts'
import { Chance } from '../../../src/testing/sim/random-choice.ts'

/** So long that no test reaches its end, or so short that it is over before the next command. */
const LONG_MS = 60_000
export const SHORT_MS = 5

const CHANNEL = 'bus'

/** Random commands of those that the protocol uses, over a few keys so that they meet. */
export class RandomCommands {
  readonly #chance: Chance
  readonly #known = new Set<string>()

  constructor(random: () => number) {
    this.#chance = new Chance(random)
  }

  /** @param now the server's time, in milliseconds */
  next(now: number): Command {
    return this.#chance.with(0.6) ? this.#script(now) : this.#plain()
  }

  /** The server has forgotten its scripts. */
  forget(): void {
    this.#known.clear()
  }

  #plain(): Command {
    const chance = this.#chance
    const key = chance.of(...this.#names())
    const field = chance.of('e', 'n', 't', 'u', 'f', 'b1')
    switch (chance.upTo(20)) {
      case 0:
        return ['GET', key]
      case 1:
        return ['MGET', key, 'none', chance.of(...this.#names())]
      case 2:
        return ['SET', key, this.#bytes()]
      case 3:
        return ['SET', key, this.#bytes(), 'PX', chance.of(LONG_MS, SHORT_MS, 0)]
      case 4:
        return ['SET', key, this.#bytes(), 'KEEPTTL']
      case 5:
        return [chance.of<string>('DEL', 'UNLINK'), key, 'none']
      case 6:
        return ['HGET', key, field]
      case 7:
        return ['HMGET', key, field, 'e', 'none']
      case 8:
        return ['HSET', key, field, chance.upTo(50), 'other', this.#bytes()]
      case 9:
        return ['HSETNX', key, field, chance.upTo(50)]
      case 10:
        return ['HINCRBY', key, field, chance.of<string | number>(1, 3, -2, 'x')]
      case 11:
        return ['HDEL', key, field, 'other', 'none']
      case 12:
        return ['PEXPIRE', key, chance.of<string | number>(LONG_MS, SHORT_MS, 0, -1, 'x')]
      case 13:
        return ['PERSIST', key]
      case 14:
        return ['PTTL', key]
      case 15:
        return ['PUBLISH', CHANNEL, this.#bytes()]
      case 16:
        return ['PING']
      case 17:
        return chance.with(0.1) ? ['FLUSHALL'] : ['EXISTS', key, 'none', key]
      case 18:
        return chance.with(0.3) ? ['SCRIPT', 'FLUSH'] : ['PING', 'x']
      default:
        return ['HSET', 'q', 'e', String(chance.of(1, 2)), 'n', chance.upTo(20)]
    }
  }

  #script(now: number): Command {
    const chance = this.#chance
    const epoch = chance.of('1', '2', '4000000000')
    const bus = [chance.of('PUBLISH', ''), CHANNEL, 'head', chance.of('tail', 'ø "x"')]
    const tags = this.#some('t:a', 't:b', 't:c')
    const keys = this.#some('a', 'b', 'c')
    const token = chance.of('one', 'two')
    const pairs = keys.flatMap((key) => [`e:${key}`, `l:${key}`])
    const ms = chance.of(LONG_MS, LONG_MS, SHORT_MS)
    const lease = `l:${chance.of('a', 'b')}`
    switch (chance.upTo(11)) {
      case 0:
      case 1:
      case 2: {
        const versions = keys.map(() => chance.of('', '', '3', '5'))
        const counts = [keys.length, tags.length]
        const asked = [chance.of('', 'stale', 'stale', 'always'), token, ms, chance.of(0, 4)]
        return this.#call(READ, ['q', ...pairs, ...tags], [epoch, ...counts, ...asked, ...versions])
      }
      case 3:
      case 4: {
        const key = chance.of('a', 'b')
        const isSet = chance.with(0.4)
        const fence = isSet ? ['', '', ''] : [token, chance.of(epoch, ''), chance.upTo(40)]
        const freshUntil = now + chance.of(LONG_MS, -LONG_MS)
        const until = [freshUntil, chance.of<number | string>(now + 2 * LONG_MS, now - 1000, 'inf')]
        const args = [epoch, ...fence, ...until, this.#bytes(), ...bus, ...this.#buckets(tags)]
        return this.#call(WRITE, ['q', `e:${key}`, `l:${key}`, ...tags], args)
      }
      case 5: {
        const until = chance.of<number | string>(now + 90 * LONG_MS, now - 1000, 'inf')
        return this.#call(TOUCH, ['q', ...tags], [epoch, until, ...this.#buckets(tags)])
      }
      case 6:
        return this.#call(DELETE, ['q', ...pairs], [epoch, ...bus])
      case 7: {
        const args = [epoch, chance.of('hard', 'soft'), ...bus, ...this.#buckets(tags)]
        return this.#call(STAMP_TAGS, ['q', ...tags], args)
      }
      case 8: {
        const entries = keys.map((key) => `e:${key}`)
        const leases = keys.map((key) => `l:${key}`)
        const args = [epoch, keys.length, tags.length, token, ms]
        return this.#call(LEASE, ['q', ...entries, ...leases, ...tags], args)
      }
      case 9:
        return this.#call(RENEW, [lease], [token, ms])
      default: {
        if (chance.with(0.1)) return this.#call(RESET, ['q'], [epoch, ...bus])
        const end = chance.of('failed', 'unstored', 'unused')
        return this.#call(RELEASE, ['q', lease], [epoch, token, end, '{"name":"E"}', ...bus])
      }
    }
  }

  #call({ sha, source }: Script, keys: readonly string[], args: readonly Argument[]): Command {
    // By its digest now and then even where the server does not know it.
    const isKnown = this.#known.has(sha) || this.#chance.with(0.05)
    if (!isKnown) this.#known.add(sha)
    return [isKnown ? 'EVALSHA' : 'EVAL', isKnown ? sha : source, keys.length, ...keys, ...args]
  }

  #names(): string[] {
    return ['q', 'e:a', 'e:b', 'l:a', 'l:b', 't:a', 't:b', 'text']
  }

  #some(...names: readonly string[]): string[] {
    return names.filter(() => this.#chance.with(0.6))
  }

  /** Two tags share one. */
  #buckets(tags: readonly string[]): number[] {
    return tags.map((tag) => (tag === 't:c' ? 2 : 1))
  }

  #bytes(): Buffer {
    const length = this.#chance.of(0, 3, 19, 20, 40)
    return Buffer.from(Array.from({ length }, () => this.#chance.upTo(256)))
  }
}
