import type { LlmCallKey, LlmCallReport } from '../../contracts/llm-layer.ts'
import type { Plan } from '../planner/plan.ts'
import { normalizeUsage } from '../usage/normalize-usage.ts'
import type { NormalizedUsage } from '../usage/normalized-usage.ts'
import { priceUsage } from '../usage/price-usage.ts'
import type { CacheVerdict } from '../verdict/verdict.ts'
import { judge } from './judge.ts'
import type { LayerParts } from './layer-parts.ts'
import { tokensOf } from './llm-accounts.ts'
import type { LlmCall, LlmCallContext, LlmSettlement } from './llm-call.ts'
import { planRequest } from './sent-request.ts'

type Send<T> = (args: readonly unknown[], onFirstByte: () => void) => PromiseLike<T> | T

/** One call of a provider, from its request to what it has cost. */
export class LayerCall implements LlmCall {
  readonly args: readonly unknown[]
  readonly #parts: LayerParts
  readonly #context: LlmCallContext
  readonly #key: LlmCallKey | undefined
  readonly #plan: Plan<unknown> | undefined
  readonly #given: readonly unknown[]
  #hasChanged = false
  #startedAt: number
  #firstByteAt: number | undefined
  #endedAt: number

  constructor(
    parts: LayerParts,
    args: readonly unknown[],
    key: LlmCallKey | undefined,
    context: LlmCallContext,
  ) {
    this.#parts = parts
    this.#given = args
    this.#context = context
    this.#key = key
    this.#startedAt = context.clock.now()
    this.#endedAt = this.#startedAt
    this.#plan = this.#makePlan(args)
    this.args = this.#plan === undefined ? args : [this.#plan.request, ...args.slice(1)]
  }

  async run<T>(send: Send<T>): Promise<T> {
    const { clock, signal } = this.#context
    const gate = this.#parts.gate(clock)
    const plan = this.#plan
    const task = (onFirstByte: () => void) => this.#send(send, onFirstByte)
    // Where nothing is shared, there is nothing to wait for.
    if (gate === undefined || plan === undefined || plan.prefixTokens === 0) return task(() => {})
    const { prefixTokens: tokens, prefixIsWarm: isWarm } = plan
    let isSent = false
    const once = (onFirstByte: () => void) => {
      isSent = true
      return task(onFirstByte)
    }
    try {
      return await gate.run(plan.prefixId, once, { tokens, isWarm, signal })
    } catch (error) {
      // What the provider fails with, or nobody wants any more, is no failure of the gate.
      if (isSent || signal.aborted) throw error
      this.#parts.failed('gate', error)
      return task(() => {})
    }
  }

  async #send<T>(send: Send<T>, onFirstByte: () => void): Promise<T> {
    const { clock } = this.#context
    const { accounts } = this.#parts
    accounts.calls++
    this.#startedAt = clock.now()
    // Its owner may have gone on with it while it waited: for L2, for a place, at the gate.
    this.#hasChanged = !this.#isAsLookedUp()
    try {
      return await send(this.args, () => {
        this.#firstByteAt ??= clock.now()
        onFirstByte()
      })
    } catch (error) {
      accounts.failures++
      throw error
    } finally {
      this.#endedAt = clock.now()
    }
  }

  async settle(final: unknown): Promise<LlmSettlement> {
    const { accounts, events } = this.#parts
    const usage = this.#readUsage(final)
    if (usage !== undefined) this.#teach(usage)
    const verdict = await this.#judge(final)
    const skipped = verdict.action === 'skip' ? verdict.reason : undefined
    const report = this.#report(usage, skipped)
    accounts.add(report)
    if (this.#key?.bypass !== undefined) accounts.bypassed(this.#key.bypass)
    else if (skipped !== undefined) accounts.skipped(skipped)
    const expire = skipped === 'other-model' ? [] : this.#staleTags(usage)
    events.emit('report', report)
    return { verdict, expire, report }
  }

  #isAsLookedUp(): boolean {
    const { key } = this.#context
    if (key === undefined) return true
    return this.#parts.attempt('key', () => this.#parts.keysOf(this.#given).includes(key)) ?? false
  }

  #makePlan(args: readonly unknown[]): Plan<unknown> | undefined {
    const { planner, options } = this.#parts
    if (planner === undefined) return undefined
    return this.#parts.attempt('planner', () =>
      planRequest(args[0], {
        planner,
        provider: options.provider,
        tenant: this.#parts.tenantOf(args),
        route: this.#parts.routeOf(args),
        now: this.#context.clock.now(),
      }),
    )
  }

  #readUsage(final: unknown): NormalizedUsage | undefined {
    const { provider } = this.#parts.options
    return this.#parts.attempt('usage', () =>
      normalizeUsage(provider, final, this.#requestedModel()),
    )
  }

  #teach(usage: NormalizedUsage): void {
    const plan = this.#plan
    if (plan === undefined) return
    const firstByteAt = this.#firstByteAt
    this.#parts.attempt('planner', () =>
      this.#parts.planner?.observe(plan, usage, {
        startedAt: this.#startedAt,
        ...(firstByteAt === undefined ? {} : { firstByteAt }),
      }),
    )
  }

  async #judge(final: unknown): Promise<CacheVerdict> {
    const bypass = this.#key?.bypass
    if (bypass !== undefined) return { action: 'skip', reason: bypass }
    if (this.#hasChanged) return { action: 'skip', reason: 'changed' }
    return judge(this.#parts, final, this.#requestedModel())
  }

  #report(usage: NormalizedUsage | undefined, skipped: string | undefined): LlmCallReport {
    const { provider } = this.#parts.options
    const durationMs = this.#endedAt - this.#startedAt
    const model = usage?.model ?? this.#requestedModel() ?? 'unknown'
    if (usage === undefined) {
      const l3 = undefined
      return { provider, model, l3, tokens: {}, cost: undefined, durationMs, skipped }
    }
    const l3 = usage.cacheRead > 0 ? 'hit' : 'miss'
    const cost = this.#parts.attempt('price', () => this.#costOf(usage))
    return { provider, model, l3, tokens: tokensOf(usage), cost, durationMs, skipped }
  }

  #costOf(usage: NormalizedUsage): LlmCallReport['cost'] {
    const price = priceUsage(usage, this.#parts.options.prices)
    if ('unknownModel' in price) return undefined
    return { actual: price.actual, uncached: price.counterfactual }
  }

  /** Tags of the answers that were given under this name by a model it no longer means. */
  #staleTags(usage: NormalizedUsage | undefined): readonly string[] {
    const requested = this.#requestedModel()
    // An answer that only repeats the name, or has none, says nothing.
    if (requested === undefined || usage === undefined || usage.model === requested) return []
    const isNew = this.#parts.aliases.isNew(requested, usage.model)
    if (!isNew || this.#parts.options.onAliasChange === 'keep') return []
    // The other tags say whose answers these are, and the name means the same to all.
    return this.#key?.tags.filter((tag) => tag.startsWith('llm:')) ?? []
  }

  #requestedModel(): string | undefined {
    return requestedModel(this.args[0])
  }
}

function requestedModel(request: unknown): string | undefined {
  if (typeof request !== 'object' || request === null) return undefined
  const { model, modelId } = request as { model?: unknown; modelId?: unknown }
  const name = model ?? modelId
  return typeof name === 'string' ? name : undefined
}
