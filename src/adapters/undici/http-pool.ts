import type * as library from 'undici'
import { ResilienceError } from '../../kernel/errors.ts'
import { countConnections } from './count-connections.ts'
import { fromGlobals } from './from-globals.ts'
import { type HttpPoolOptions, type HttpPoolSettings, poolSettings } from './pool-options.ts'

type Undici = typeof library

/**
 * What the `dispatcher` option of `fetch` takes, read from the types of Node: whoever does not use the
 * pool must not need those of undici.
 */
export type FetchDispatcher = RequestInit extends { dispatcher?: infer D } ? NonNullable<D> : object

export interface HttpPoolStats {
  /** Open now, to all origins. */
  readonly connections: number
  /** Calls that are on a connection and not answered to the end. */
  readonly busy: number
  /** Calls that wait for a connection. */
  readonly waiting: number
  /** Connections ever made: each is one TCP and, over TLS, one TLS handshake. */
  readonly handshakes: number
}

/** What {@link httpPool} resolves to. */
export type HttpPool<D extends object = FetchDispatcher> = D &
  AsyncDisposable & {
    readonly name: string
    /** `fetch` through this pool, with HTTP/2 where it is offered. */
    readonly fetch: typeof globalThis.fetch
    stats(): HttpPoolStats
    /** Resolves when the calls that are there have been answered and all is closed. */
    close(): Promise<void>
    /** Ends all connections, and the calls on them with an error. */
    destroy(error?: Error | null): Promise<void>
  }

/**
 * A pool of HTTP connections that are kept and shared: the handshakes of a service become as many as
 * its connections, not as many as its calls. It is an undici dispatcher, with figures.
 *
 * ```ts
 * const pool = await httpPool({ connections: 20 })
 * const answer = await pool.fetch('https://api.example.com/rates')
 * ```
 *
 * The global `fetch(url, { dispatcher: pool })` and the functions of undici take it too; the `fetch`
 * of a Node whose own undici is older speaks HTTP/1.1 through it. Idle connections do not keep the
 * process alive. Needs undici 7 or 8, loaded here for the first time. Where a function of undici wants
 * its own type, name it: `httpPool<Dispatcher>()`.
 *
 * @throws ERR_INVALID_OPTION for wrong options, and where undici is not installed.
 */
export async function httpPool<D extends object = FetchDispatcher>(
  options: HttpPoolOptions = {},
): Promise<HttpPool<D>> {
  const settings = poolSettings(options)
  return makePool(await loadUndici(), settings) as HttpPool<D>
}

async function loadUndici(): Promise<Undici> {
  try {
    return await import('undici')
  } catch (cause) {
    throw new ResilienceError(
      'ERR_INVALID_OPTION',
      'httpPool() needs undici 7 or 8, which could not be loaded: npm install undici',
      { cause },
    )
  }
}

function makePool(undici: Undici, settings: HttpPoolSettings): unknown {
  const pools = new Set<library.Pool>()
  let handshakes = 0
  const { connectTimeoutMs: timeout, http2, tls } = settings
  const connector = (protocols: { allowH2: boolean; preferH2?: boolean }) =>
    undici.buildConnector({ ...tls, timeout, ...protocols } as library.buildConnector.BuildOptions)
  const http1 = connector({ allowH2: false })
  // Without `preferH2` a server that leaves the choice to the client would get HTTP/1.1.
  const preferred = http2 ? connector({ allowH2: true, preferH2: true }) : http1
  const agent = new undici.Agent({
    connections: settings.connections,
    pipelining: settings.pipelining,
    keepAliveTimeout: settings.keepAliveMs,
    // A server may name a shorter time, not a longer one.
    keepAliveMaxTimeout: settings.keepAliveMs,
    headersTimeout: settings.headersTimeoutMs,
    bodyTimeout: settings.bodyTimeoutMs,
    allowH2: http2,
    connect: countConnections({ preferred, http1 }, () => {
      handshakes++
    }),
    // undici's own figures mix up two pools of one origin.
    factory(origin, options) {
      forgetClosed(pools)
      const pool = new undici.Pool(origin, options as library.Pool.Options)
      pools.add(pool)
      return pool
    },
  })
  adaptOldHandlers(agent, undici)
  const stats = (): HttpPoolStats => ({ ...sum(pools), handshakes })
  const members = {
    name: settings.name,
    stats,
    fetch: (async (input, init) => {
      const [what, how] = fromGlobals(undici, input, init)
      return undici.fetch(what as never, { ...how, dispatcher: agent } as never)
    }) as typeof fetch,
  }
  const dispose = async (): Promise<void> => {
    // Also where it is closing already: that is waited for.
    if (!agent.destroyed) await agent.close()
  }
  // Defined, not assigned: an Agent has a getter `stats`, by origin.
  for (const [member, value] of Object.entries(members)) {
    Object.defineProperty(agent, member, { value })
  }
  Object.defineProperty(agent, Symbol.asyncDispose, { value: dispose })
  return agent
}

/**
 * The `fetch` of Node 22 and 24 brings its own undici 7, whose calls an Agent of undici 8 refuses with
 * "invalid onRequestStart method". undici 8 has the translation, but not in its Agent.
 */
function adaptOldHandlers(agent: library.Agent, { Dispatcher1Wrapper }: Undici): void {
  if (Dispatcher1Wrapper === undefined) return
  const old = new Dispatcher1Wrapper(agent)
  const dispatch = agent.dispatch.bind(agent)
  agent.dispatch = (options, handler) => {
    if (typeof handler.onRequestStart === 'function') return dispatch(options, handler)
    // Comes back here with a handler of the new kind.
    return old.dispatch(options, handler as library.Dispatcher.DispatchHandler)
  }
}

function sum(pools: Set<library.Pool>): Omit<HttpPoolStats, 'handshakes'> {
  let connections = 0
  let busy = 0
  let waiting = 0
  forgetClosed(pools)
  for (const pool of pools) {
    const { connected, running, pending } = pool.stats
    connections += connected
    busy += running
    waiting += pending
  }
  return { connections, busy, waiting }
}

/** An Agent closes the pool of an origin that it has no connection to, and makes another. */
function forgetClosed(pools: Set<library.Pool>): void {
  for (const pool of pools) {
    if (pool.destroyed) pools.delete(pool)
  }
}
