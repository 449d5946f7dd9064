import type { LlmKeyOptions, Tenant } from '../key/llm-key-options.ts'
import { createLlmKeyer, type LlmKeyer } from '../key/llm-keyer.ts'

/** Tenants whose keyers are at hand; to make one again takes microseconds. */
const MOST = 1000

/** Key options without those that each call may decide for itself. */
export type SharedKeyOptions = Omit<LlmKeyOptions, 'tenant' | 'urlSource' | 'headers'> & {
  urlSource?: 'bypass' | 'by-url'
}

/** One keyer per tenant, made when it is first asked for. */
export class TenantKeyers {
  readonly #options: SharedKeyOptions
  readonly #where: string
  readonly #keyers = new Map<string, LlmKeyer>()
  readonly #shared: LlmKeyer

  /** @throws ERR_INVALID_OPTION */
  constructor(options: SharedKeyOptions, where: string) {
    this.#options = options
    this.#where = where
    // Made at once, so that the options that all of them have in common are checked.
    this.#shared = this.#make({ shared: true })
  }

  /** @throws ERR_INVALID_OPTION for what is no tenant */
  for(tenant: Tenant): LlmKeyer {
    // Whatever is no tenant either is refused by the one who makes keyers.
    if (typeof tenant !== 'string') return isShared(tenant) ? this.#shared : this.#make(tenant)
    const known = this.#keyers.get(tenant)
    if (known !== undefined) return known
    const keyer = this.#make(tenant)
    this.#keyers.set(tenant, keyer)
    if (this.#keyers.size > MOST) this.#forgetFirst()
    return keyer
  }

  #make(tenant: Tenant): LlmKeyer {
    return createLlmKeyer({ ...this.#options, tenant }, this.#where)
  }

  #forgetFirst(): void {
    for (const first of this.#keyers.keys()) {
      this.#keyers.delete(first)
      return
    }
  }
}

function isShared(tenant: Exclude<Tenant, string> | undefined): boolean {
  return tenant?.shared === true && Object.keys(tenant).length === 1
}
