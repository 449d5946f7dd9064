/**
 * The service of the demo: it checks and reviews the tax documents it is sent. `npm start` runs it
 * alone, with upstreams of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Cache, createCache } from '../../src/index.ts'
import { sqlite } from '../../src/sqlite.ts'
import { cachedOrigins } from './cached-origins.ts'
import { readDte } from './dte/read-dte.ts'
import { type Addresses, httpOrigins } from './origins.ts'
import { CleanUp } from './processes/clean-up.ts'
import { type Reply, serve } from './processes/serve.ts'
import { startUpstreams } from './processes/upstreams.ts'
import { documents } from './traffic/stream.ts'

const SEED = '1'
const cleanUp = new CleanUp()

try {
  await start()
} catch (error) {
  console.error(`The service did not start: ${(error as Error).message}`)
  await cleanUp.run()
  process.exit(1)
}

async function start() {
  const flags = readFlags()
  const origins = httpOrigins(await upstreamAddresses(flags))
  const cache = flags.cache === 'on' ? await openCache(flags.db) : undefined
  const { validate, findPartner, review } = cache ? cachedOrigins(cache, origins) : origins

  const routes: Record<string, (body: string) => Reply | Promise<Reply>> = {
    'POST /documents': postDocument,
    'GET /stats': () => ({ body: cache?.stats() ?? { cache: 'off' } }),
    'GET /health': () => ({ body: cache?.health() ?? { status: 'ok' } }),
    'GET /sample': () => ({ body: documents(SEED, 1)[0] }),
    'GET /': () => ({ body: help(url, flags.cache) }),
  }
  const url = await serve(
    async ({ pathname }, body, method) =>
      routes[`${method} ${pathname}`]?.(body) ?? { status: 404, body: { error: 'not found' } },
    {
      port: Number(flags.port ?? process.env.PORT ?? 3000),
      onClose: () => cleanUp.run(),
    },
  )
  console.log(help(url, flags.cache))

  async function postDocument(xml: string): Promise<Reply> {
    let dte: ReturnType<typeof readDte>
    try {
      dte = readDte(xml)
    } catch (error) {
      return { status: 400, body: { error: (error as Error).message } }
    }
    try {
      const [tax, issuer, receiver] = await Promise.all([
        validate(xml),
        findPartner(dte.issuerRut),
        findPartner(dte.receiverRut),
      ])
      // Nobody pays for the review of a document that the tax authority rejects.
      const opinion = tax.accepted ? (await review(xml)).text : null
      return { body: { type: dte.type, folio: dte.folio, tax, issuer, receiver, review: opinion } }
    } catch (error) {
      return { status: 502, body: { error: (error as Error).message } }
    }
  }
}

async function openCache(path?: string): Promise<Cache> {
  const cache = createCache({
    name: 'documents',
    // Beside calls that take seconds and cost cents, a busy disk is worth more than the usual 50 ms.
    l2: sqlite({ path: path ?? (await temporaryFile()), timeout: '250ms' }),
  })
  cleanUp.defer(() => cache.close())
  // The first requests after a restart then find what was stored before it.
  await cache.ready({ timeout: '2s' })
  return cache
}

function readFlags() {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      cache: { type: 'string', default: 'on' },
      db: text,
      port: text,
      tax: text,
      partners: text,
      llm: text,
    },
  })
  if (values.cache === 'on' || values.cache === 'off') return values
  throw new Error(`--cache must be on or off, not '${values.cache}'`)
}

async function upstreamAddresses({ tax, partners, llm }: Partial<Addresses>): Promise<Addresses> {
  if (tax && partners && llm) return { tax, partners, llm }
  const options = { seed: SEED, speed: 10, failures: 0 }
  const crashed = (error: Error) => console.error(error.message)
  return (await startUpstreams(options, cleanUp, crashed)).addresses
}

async function temporaryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'resilient-cache-service-'))
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'cache.sqlite')
}

function help(url: string, cache: string): string {
  return `The document service listens on ${url} with its cache ${cache}.

Send it a document, twice: with the cache on, the second answer takes a few milliseconds.

  curl -s ${url}/sample > dte.xml
  curl -s ${url}/documents --data-binary @dte.xml -w '%{time_total} s\\n'

What the cache did: ${url}/stats, how it is: ${url}/health. Ctrl-C ends it.
`
}
