import type { Endpoint } from '../../../src/adapters/redis/ioredis/discovery.ts'
import type { RespLink } from '../../../src/adapters/redis/ioredis/resp-link.ts'
import type { SentinelAnswer } from '../../../src/adapters/redis/ioredis/sentinel-ballot.ts'
import type { SentinelNetwork } from '../../../src/adapters/redis/ioredis/sentinel-links.ts'

export const at = (host: string, port = 6379): Endpoint => ({ host, port })

/** Sentinels s1, s2, … without a network, for virtual time. */
export class FakeNetwork implements SentinelNetwork {
  readonly sentinels: readonly Endpoint[]
  /** What each says: an address, an error, or that the name is unknown. */
  readonly says: (SentinelAnswer | Error)[]
  /** Data nodes that say they are masters. */
  readonly masters = new Set<string>()
  asked = 0
  probes = 0
  readonly #links: FakeLink[] = []

  constructor(count: number, says: SentinelAnswer | Error) {
    this.sentinels = Array.from({ length: count }, (_, index) => at(`s${index + 1}`, 26_379))
    this.says = this.sentinels.map(() => says)
  }

  /** What all of them say from now on. */
  say(...says: (SentinelAnswer | Error)[]): void {
    for (const [index] of this.says.entries()) {
      this.says[index] = says[index % says.length] as SentinelAnswer
    }
  }

  async ask(sentinel: Endpoint): Promise<SentinelAnswer> {
    this.asked++
    const says = this.says[this.sentinels.indexOf(sentinel)]
    if (!says || says instanceof Error) throw says
    return says
  }

  async isMaster({ host }: Endpoint): Promise<boolean> {
    this.probes++
    return this.masters.has(host)
  }

  open(): RespLink {
    const link = new FakeLink()
    this.#links.push(link)
    return link as unknown as RespLink
  }

  /** One sentinel announces; on one link, as the others do it later. */
  announce(text: string): void {
    const link = this.#links.findLast(({ ended }) => !ended)
    link?.onMessage?.('+switch-master', text)
  }

  close(): void {}
}

class FakeLink {
  ended = false
  onMessage: ((channel: string, text: string) => void) | undefined

  unref(): this {
    return this
  }

  async command(): Promise<string> {
    return 'PONG'
  }

  destroy(): void {
    this.ended = true
  }
}

export function failure(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code })
}
