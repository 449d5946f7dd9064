import { textOf } from './sim-commands.ts'
import type { ScriptRun } from './sim-server.ts'

interface Stamped {
  readonly number: number
  readonly epoch: string
}

interface Lease {
  readonly token: string
  readonly ms: string
}

/**
 * I9, told from what goes over the wire and nothing else: a commit changes L2 only while its lease is
 * held, and only if none of its tags was stamped after its fence.
 */
export class LeaseWatch {
  readonly violations: string[] = []
  /** When last somebody was told that another one loads, in the server's time. */
  heldAt = Number.NEGATIVE_INFINITY
  /** By lease: the tokens that may hold it, and until when. After a failover there may be several. */
  readonly #held = new Map<string, Map<string, number>>()
  readonly #granted = new Map<string, Set<string>>()
  readonly #stamped = new Map<string, Stamped>()

  see(run: ScriptRun): void {
    switch (run.name) {
      case 'read':
        this.#read(run)
        break
      case 'lease':
        this.#lease(run)
        break
      case 'renew':
        if (run.reply === 1) this.#hold(run, run.keys[0], textOf(run.args[0]), textOf(run.args[1]))
        break
      case 'write':
        if (Array.isArray(run.reply)) this.#write(run)
        break
      case 'delete':
        for (const key of run.keys) this.#held.delete(key)
        break
      case 'release':
        if (run.reply === 1) this.#held.delete(run.keys[1] as string)
        break
      case 'stamp':
        this.#stamp(run)
        break
    }
  }

  lost(key: string): void {
    this.#held.delete(key)
    this.#stamped.delete(key)
  }

  allLost(): void {
    this.#held.clear()
    this.#stamped.clear()
  }

  /** The new master may know any of the leases that were ever granted, and lack any stamp. */
  failedOver(): void {
    this.#stamped.clear()
    for (const [key, tokens] of this.#granted) {
      this.#held.set(key, new Map([...tokens].map((token) => [token, Number.POSITIVE_INFINITY])))
    }
  }

  #read({ keys, args, reply, now }: ScriptRun): void {
    if (!Array.isArray(reply)) return
    const count = Number(textOf(args[1]))
    for (let i = 0; i < count; i++) {
      const lease = { token: textOf(args[4]), ms: textOf(args[5]) }
      this.#granting(now, keys[2 * i + 2], reply[3 + 3 * i + 1], lease)
    }
  }

  #lease({ keys, args, reply, now }: ScriptRun): void {
    const missing: unknown = Array.isArray(reply) ? reply[3] : undefined
    if (!Array.isArray(missing)) return
    const count = Number(textOf(args[1]))
    const lease = { token: textOf(args[3]), ms: textOf(args[4]) }
    for (let at = 0; at < missing.length; at += 3) {
      this.#granting(now, keys[count + Number(missing[at])], missing[at + 1], lease)
    }
  }

  #granting(now: number, key: string | undefined, grant: unknown, lease: Lease): void {
    if (grant === 2) this.heldAt = now
    if (grant === 1) this.#hold({ now }, key, lease.token, lease.ms)
  }

  #hold({ now }: { now: number }, key: string | undefined, token: string, ms: string): void {
    if (key === undefined) return
    this.#held.set(key, new Map([[token, now + Number(ms)]]))
    const tokens = this.#granted.get(key) ?? new Set()
    this.#granted.set(key, tokens.add(token))
  }

  #write({ keys, args, now }: ScriptRun): void {
    const lease = keys[2] as string
    const token = textOf(args[1])
    if (token !== '') {
      const until = this.#held.get(lease)?.get(token) ?? Number.NEGATIVE_INFINITY
      if (now >= until) this.violations.push('I9 a load stored without holding its lease')
      this.#checkStamps(keys.slice(3), textOf(args[2]), Number(textOf(args[3])))
    }
    this.#held.delete(lease)
  }

  #checkStamps(stamps: readonly string[], epoch: string, fence: number): void {
    for (const key of stamps) {
      const stamped = this.#stamped.get(key)
      if (stamped?.epoch === epoch && stamped.number > fence) {
        this.violations.push('I9 a load stored although a tag of it was stamped meanwhile')
      }
    }
  }

  /** The epoch of a stamp is not in the reply: that of the fence is compared where it is known. */
  #stamp({ keys, reply, args }: ScriptRun): void {
    const epoch = this.epochOf(keys[0] as string) ?? textOf(args[0])
    const number = Number(String(reply))
    for (const key of keys.slice(1)) this.#stamped.set(key, { number, epoch })
  }

  /** Set by who has the data. */
  epochOf: (sequence: string) => string | undefined = () => undefined
}
