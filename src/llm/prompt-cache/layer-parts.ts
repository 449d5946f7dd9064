import type { Clock } from '../../contracts/clock.ts'
import type { LlmCallReport } from '../../contracts/llm-layer.ts'
import { Events } from '../../kernel/events.ts'
import { createPrefixGate, type PrefixGate } from '../gate/prefix-gate.ts'
import type { Tenant } from '../key/llm-key-options.ts'
import { createPrefixPlanner } from '../planner/create-prefix-planner.ts'
import type { PrefixPlanner } from '../planner/plan.ts'
import { AliasEpochs } from './alias-epochs.ts'
import { LlmAccounts } from './llm-accounts.ts'
import { textOfOtherArguments } from './other-arguments.ts'
import { isGate, isPlanner, keyOptionsOf, type PromptCacheOptions } from './prompt-cache-options.ts'
import { PLANNED_PROVIDERS } from './sent-request.ts'
import { TenantKeyers } from './tenant-keyers.ts'

/** Where the layer failed, and the provider did not. */
export type LayerPart = 'key' | 'planner' | 'gate' | 'usage' | 'price' | 'verdict' | 'validate'

/** What happens in a layer, for those who listen. */
export interface PromptCacheEvents {
  /** A call was answered by the provider. */
  report: LlmCallReport
  /** A part of the layer failed; the answer was given to the caller all the same. */
  error: { readonly part: LayerPart; readonly error: unknown }
}

/** What the calls of one layer have in common. */
export class LayerParts {
  readonly options: PromptCacheOptions
  readonly planner: PrefixPlanner | undefined
  readonly keyers: TenantKeyers
  readonly accounts = new LlmAccounts()
  readonly aliases = new AliasEpochs()
  readonly events = new Events<PromptCacheEvents>()
  #gate: PrefixGate | undefined

  /** @throws ERR_INVALID_OPTION */
  constructor(options: PromptCacheOptions, where: string) {
    this.options = options
    this.keyers = new TenantKeyers(keyOptionsOf(options), where)
    // One tenant is known now, and wrong ones are told of now.
    if (typeof options.tenant !== 'function') this.keyers.for(options.tenant)
    this.planner = plannerOf(options)
  }

  /** Without a planner nobody knows which calls begin alike. */
  gate(clock: Clock): PrefixGate | undefined {
    const { gate } = this.options
    if (gate === false || this.planner === undefined) return undefined
    this.#gate ??= isGate(gate) ? gate : createPrefixGate({ clock, ...gate })
    return this.#gate
  }

  tenantOf(args: readonly unknown[]): Tenant {
    const { tenant } = this.options
    return typeof tenant === 'function' ? tenant(...args) : tenant
  }

  keysOf(args: readonly unknown[]): readonly string[] {
    return this.keyers.for(this.tenantOf(args)).keysOf(args[0], textOfOtherArguments(args))
  }

  routeOf(args: readonly unknown[]): string | undefined {
    const { route } = this.options
    return typeof route === 'function' ? route(...args) : route
  }

  /** What fails here must not cost the caller the answer: it is counted. */
  attempt<T>(part: LayerPart, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      this.failed(part, error)
      return undefined
    }
  }

  failed(part: LayerPart, error: unknown): void {
    this.accounts.errors++
    this.events.emit('error', { part, error })
  }
}

function plannerOf({ provider, planner, prices }: PromptCacheOptions): PrefixPlanner | undefined {
  if (planner === false || !PLANNED_PROVIDERS.has(provider)) return undefined
  if (isPlanner(planner)) return planner
  return createPrefixPlanner({ ...(prices && { profiles: prices }), ...planner })
}
