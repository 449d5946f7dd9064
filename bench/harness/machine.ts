import { readFileSync } from 'node:fs'
import os from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly platform: string
  readonly node: string
  readonly v8: string
  /** Of the last minute, when the run began: above 1 for each core, neighbours were busy. */
  readonly load: number
}

export function describeMachine(): Machine {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.platform()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    load: Math.round((os.loadavg()[0] as number) * 100) / 100,
  }
}

/** The versions of installed packages, read from a `node_modules` folder. */
export function versionsOf(
  packages: readonly string[],
  modules: URL = new URL('../../node_modules/', import.meta.url),
): Record<string, string> {
  const versions: Record<string, string> = {}
  for (const name of packages) {
    const text = readFileSync(new URL(`${name}/package.json`, modules), 'utf8')
    versions[name] = (JSON.parse(text) as { version: string }).version
  }
  return versions
}
