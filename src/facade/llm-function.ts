import { isLlmLayer, type LlmCallKey, type LlmLayer, type LlmLoad } from '../contracts/llm-layer.ts'
import { kindOf } from '../kernel/duration.ts'
import { invalidOption } from '../kernel/options.ts'
import type { Origin } from '../read-path/flight-options.ts'
import { handOut } from '../read-path/hand-out.ts'
import { invalidateTags } from '../read-path/invalidate.ts'
import type { Outcome } from '../read-path/outcome.ts'
import type { LoadContext, Policy } from '../read-path/policy.ts'
import type { Read } from '../read-path/read-request.ts'
import type { Region } from '../read-path/region.ts'

/** How many calls were not cached in this process so far: each is a load of its own. */
let bypassed = 0

/** What the option `llm` makes of the calls of one function. */
export class LlmFunction {
  readonly #layer: LlmLayer
  #uncached: Policy | undefined

  constructor(layer: LlmLayer) {
    this.#layer = layer
  }

  keyOf(args: readonly unknown[]): LlmCallKey {
    return this.#layer.keyOf(args)
  }

  /** All under which answers to this call may be kept. */
  keysOf(args: readonly unknown[]): readonly string[] {
    return this.#layer.keysOf?.(args) ?? [this.#layer.keyOf(args).key]
  }

  /** The read of a call: through the levels, or past all of them where its answer is only its own. */
  read(request: Read, { key, bypass }: LlmCallKey, withContext: boolean): Read {
    const read = { ...request, origin: this.#origin(request, key, withContext) }
    if (bypass === undefined) return read
    this.#uncached ??= {
      ...request.policy,
      useL1: false,
      useL2: false,
      errorTtlMs: 0,
      cacheIf: () => false,
    }
    return { ...read, policy: this.#uncached, key: `bypass ${++bypassed}` }
  }

  #origin({ origin, region }: Read, key: string, withContext: boolean): Origin {
    return (args, context) =>
      this.#layer.call(
        args,
        (sent) => origin(sent, withContext ? context : undefined),
        loadOf(region, key, context as LoadContext),
      )
  }
}

const taken = new WeakSet<Outcome>()

/** Of those who share a load one takes the answer that was paid for; the others see that it was. */
export function handOutPaid(
  { region, policy }: Pick<Read, 'region' | 'policy'>,
  outcome: Outcome,
): unknown {
  const value = handOut(region, outcome)
  if (policy.mark === undefined || outcome.source !== 'origin') return value
  if (taken.has(outcome)) return policy.mark(value)
  taken.add(outcome)
  return value
}

function loadOf(region: Region, key: string, context: LoadContext): LlmLoad {
  const { core, label } = region
  return {
    clock: core.clock,
    key,
    get signal() {
      return context.signal
    },
    skip: () => context.skip(),
    setTtl: (ms) => context.setTtl(ms),
    expire(tags) {
      const expired = invalidateTags(
        core,
        tags.map((tag) => region.tag(tag)),
        'soft',
        false,
      )
      core.background.track(expired)
    },
    report(report) {
      if (report.l3 === 'hit') region.hitsL3++
      if (report.l3 === 'miss') region.missesL3++
      if (core.events.has('llm')) {
        core.events.emit('llm', { cache: core.name, function: label, ...report })
      }
    },
  }
}

export function checkLlm(options: Readonly<Record<string, unknown>>): void {
  const { llm } = options
  if (llm === undefined) return
  if (!isLlmLayer(llm)) {
    throw invalidOption(
      `llm must be promptCache({ provider, tenant }) of @org/resilient-cache/llm, got ${kindOf(llm)}`,
    )
  }
  for (const name of ['key', 'manyOrigin']) {
    if (options[name] === undefined) continue
    throw invalidOption(
      `${name} and llm do not go together: ` +
        (name === 'key'
          ? 'the request and the other arguments make the key'
          : 'a provider is asked for one answer at a time'),
    )
  }
}

/** Tags that `llm` adds to those declared. */
export function tagsWithLlm(llm: LlmLayer, declared: Policy['tags']): Policy['tags'] {
  const tagsOf = declared as ((...args: readonly unknown[]) => readonly string[]) | undefined
  return (...args: readonly unknown[]) => [...(tagsOf?.(...args) ?? []), ...llm.keyOf(args).tags]
}
