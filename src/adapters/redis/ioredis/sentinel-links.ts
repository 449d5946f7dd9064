import type { Clock } from '../../../contracts/clock.ts'
import type { Endpoint } from './discovery.ts'
import { NO_SENTINEL, TIME_OUT } from './failure-cause.ts'
import type { NameLookup } from './name-lookup.ts'
import { RespLink, type RespValue } from './resp-link.ts'
import type { SentinelAnswer } from './sentinel-ballot.ts'
import type { Settings, Target } from './settings.ts'

export type SentinelTarget = Extract<Target, { kind: 'sentinel' }>

/** A sentinel answers within a millisecond or is in trouble: the others are not kept waiting. */
const ASK_MS = 250

/** What discovery asks of the network. */
export interface SentinelNetwork {
  ask(sentinel: Endpoint): Promise<SentinelAnswer>
  /** Whether this data node says it is a master, as far as it may be asked. */
  isMaster(node: Endpoint): Promise<boolean>
  /** A connection that stays, for what the sentinel publishes. */
  open(sentinel: Endpoint): RespLink
  /** Destroys whatever is open. */
  close(): void
}

/** Connections to sentinels: one for each question, destroyed as soon as it is answered. */
export class SentinelLinks implements SentinelNetwork {
  readonly #target: SentinelTarget
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #names: NameLookup
  readonly #open = new Set<RespLink>()

  constructor(target: SentinelTarget, settings: Settings, clock: Clock, names: NameLookup) {
    this.#target = target
    this.#settings = settings
    this.#clock = clock
    this.#names = names
  }

  ask(sentinel: Endpoint): Promise<SentinelAnswer> {
    return this.#briefly(this.open(sentinel), async (link) => {
      const name = this.#target.masterName
      const replicas = link.command('SENTINEL', 'REPLICAS', name)
      // May be forbidden, or fail with the connection: then the other answer says so.
      replicas.catch(() => {})
      const address = await link.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)
      if (address instanceof Error) throw faultOf(address)
      return { ...addressOf(address), ...replicasOf(await replicas) }
    })
  }

  isMaster(node: Endpoint): Promise<boolean> {
    const { credentials, tls } = this.#settings
    return this.#briefly(this.#link(node, credentials, tls), async (link) => {
      const role = await link.command('ROLE')
      if (role instanceof Error) return role.message.startsWith('NOPERM')
      return Array.isArray(role) && role[0] === 'master'
    })
  }

  open(sentinel: Endpoint): RespLink {
    return this.#link(sentinel, this.#target.sentinelCredentials, this.#target.sentinelTls)
  }

  close(): void {
    for (const link of this.#open) link.destroy()
  }

  #link(endpoint: Endpoint, credentials: Settings['credentials'], tls: Settings['tls']): RespLink {
    const link = new RespLink({ endpoint, credentials, tls, names: this.#names })
    this.#open.add(link)
    link.onEnd = () => this.#open.delete(link)
    return link
  }

  async #briefly<T>(link: RespLink, use: (link: RespLink) => Promise<T>): Promise<T> {
    const timer = this.#clock.setTimeout(() => link.destroy(timeOut()), ASK_MS, { unref: true })
    try {
      return await use(link)
    } finally {
      this.#clock.clearTimeout(timer)
      link.destroy()
    }
  }
}

function timeOut(): Error {
  return Object.assign(new Error(`no answer within ${ASK_MS} ms`), { code: TIME_OUT })
}

function faultOf(error: Error): Error {
  if (!/unknown command/i.test(error.message)) return error
  return Object.assign(new Error('it knows no SENTINEL command'), { code: NO_SENTINEL })
}

function addressOf(reply: RespValue): { address?: Endpoint } {
  if (!Array.isArray(reply)) return {}
  const [host, port] = reply as readonly RespValue[]
  const number = Number(port)
  if (typeof host !== 'string' || host === '' || !(number > 0 && number < 65_536)) return {}
  return { address: { host, port: number } }
}

function replicasOf(reply: RespValue): { replicas?: number } {
  if (!Array.isArray(reply)) return {}
  const isUp = (fields: RespValue): boolean =>
    Array.isArray(fields) && fields[fields.indexOf('flags') + 1] === 'slave'
  return { replicas: (reply as readonly RespValue[]).filter(isUp).length }
}
