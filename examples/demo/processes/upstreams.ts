import type { Addresses } from '../origins.ts'
import {
  type UpstreamOptions,
  type UpstreamStats,
  upstreamArguments,
} from '../upstreams/upstream.ts'
import { startChild } from './child.ts'
import type { CleanUp } from './clean-up.ts'

const MODULES = {
  tax: new URL('../upstreams/tax-authority.ts', import.meta.url),
  partners: new URL('../upstreams/partners.ts', import.meta.url),
  llm: new URL('../upstreams/llm.ts', import.meta.url),
}

export type UpstreamName = keyof typeof MODULES
export const UPSTREAMS = Object.keys(MODULES) as UpstreamName[]

export interface Upstreams {
  readonly addresses: Addresses
  reset(): Promise<void>
  stats(): Promise<Record<UpstreamName, UpstreamStats>>
}

/**
 * Starts the three upstreams, each in a process of its own.
 *
 * @param cleanUp - stops them in the end
 */
export async function startUpstreams(
  options: UpstreamOptions,
  cleanUp: CleanUp,
  onCrash: (error: Error) => void,
): Promise<Upstreams> {
  const started = await Promise.allSettled(
    UPSTREAMS.map(async (name) => {
      const child = await startChild(MODULES[name], upstreamArguments(options), onCrash)
      cleanUp.defer(child.stop)
      return [name, child.url] as const
    }),
  )
  const failed = started.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  const urls = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const addresses = Object.fromEntries(urls) as Record<UpstreamName, string>

  const each = async (path: string) =>
    Object.fromEntries(
      await Promise.all(urls.map(async ([name, url]) => [name, await fetchJson(url + path)])),
    )
  return {
    addresses,
    reset: async () => void (await each('/reset')),
    stats: () => each('/stats'),
  }
}

export async function fetchJson<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T
}
