import type { Intent } from './intent.ts'

interface UnderWay {
  /** In the order in which they were begun. */
  readonly intents: Set<Intent>
  latest: Intent
}

/** Where the intents of one kind stand, by name. */
export class Ledger {
  /** Told to L2, which has not answered yet. */
  readonly #open = new Map<string, UnderWay>()
  /** To be told again: the number of the last one that L2 has not acknowledged. */
  readonly #failed = new Map<string, number>()

  get failed(): number {
    return this.#failed.size
  }

  get isEmpty(): boolean {
    return this.#open.size === 0 && this.#failed.size === 0
  }

  /** Whether something was done to the name that L2 may not have heard of. */
  has(name: string): boolean {
    return this.#open.has(name) || this.#failed.has(name)
  }

  begin(intent: Intent): void {
    for (const name of intent.names) {
      const open = this.#open.get(name)
      if (open === undefined) {
        this.#open.set(name, { intents: new Set([intent]), latest: intent })
        continue
      }
      // The same name twice does not make an intent its own successor.
      if (open.latest !== intent) open.latest.successor ??= intent
      open.latest = intent
      open.intents.add(intent)
    }
  }

  /** L2 has acknowledged something done to these names: with it, all that was begun before. */
  settle(names: readonly string[], number: number): void {
    for (const name of names) {
      const failed = this.#failed.get(name)
      if (failed !== undefined && failed <= number) this.#failed.delete(name)
      const open = this.#open.get(name)
      if (open === undefined) continue
      for (const intent of open.intents) {
        if (intent.number > number) break
        open.intents.delete(intent)
      }
      if (open.intents.size === 0) this.#open.delete(name)
    }
  }

  /** What a later intent has settled meanwhile stays settled. */
  fail(intent: Intent): void {
    for (const name of intent.names) {
      const open = this.#open.get(name)
      if (!open?.intents.delete(intent)) continue
      if (open.intents.size === 0) this.#open.delete(name)
      this.#failed.set(name, Math.max(intent.number, this.#failed.get(name) ?? 0))
    }
  }

  /** To be told again, although nothing that is under way has failed. */
  doubt(names: readonly string[], number: number): void {
    for (const name of names) this.#failed.set(name, number)
  }

  /** Failed up to that number, at most `limit` of them. Not those that are being told anew anyway. */
  failedUntil(number: number, limit: number): string[] {
    const names: string[] = []
    for (const [name, failed] of this.#failed) {
      if (names.length === limit) break
      if (failed <= number && !this.#open.has(name)) names.push(name)
    }
    return names
  }

  forgetFailedUntil(number: number): void {
    for (const [name, failed] of this.#failed) if (failed <= number) this.#failed.delete(name)
  }
}
