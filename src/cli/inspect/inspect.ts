import { KeySpace } from '../../adapters/redis/key-space.ts'
import { invalidOption } from '../../kernel/options.ts'
import type { CliWorld, ExitCode } from '../cli-world.ts'
import { type OptionTable, parseCommandLine } from '../command-line.ts'
import { CONNECT_OPTIONS, connectSettings } from '../connect-options.ts'
import { type Paint, paintFor } from '../paint.ts'
import { plain } from '../text.ts'
import { INSPECT_USAGE } from '../usage.ts'
import { spaceOf } from './cache-name.ts'
import { describe, valueText } from './describe.ts'
import { type Found, findEntry } from './find-entry.ts'
import { jsonOf } from './json.ts'
import { judge, type Verdict } from './judge.ts'
import { openServers } from './servers.ts'

const OPTIONS = {
  ...CONNECT_OPTIONS,
  cache: 'text',
  'show-value': 'flag',
  json: 'flag',
  help: 'flag',
} as const satisfies OptionTable

const NAME_WIDTH = 17

/**
 * What is stored under a key, and whether the cache would use it.
 * @throws ERR_INVALID_OPTION for a command line that means nothing, ERR_L2_UNAVAILABLE
 */
export async function inspect(args: readonly string[], world: CliWorld): Promise<ExitCode> {
  const line = parseCommandLine(args, OPTIONS)
  if (line.flag('help')) {
    world.out.write(INSPECT_USAGE)
    return 0
  }
  const [key, url, ...rest] = line.words
  if (key === undefined || rest.length > 0) {
    throw invalidOption('inspect takes a key, as fn.key(...) gives it, and then perhaps a url')
  }
  const cache = line.text('cache') ?? spaceOf(key)
  const settings = await connectSettings(line, url, world)
  const servers = await openServers(settings, world)
  let found: Found
  try {
    found = await findEntry(servers, new KeySpace(settings.prefix, cache, servers.isClustered), key)
  } finally {
    servers.close()
  }
  const verdict = judge(found, key)
  const value = line.flag('show-value') && found.stored ? valueText(found, key) : undefined
  world.out.write(
    line.flag('json')
      ? `${JSON.stringify(jsonOf(found, verdict, key, cache, value), null, 2)}\n`
      : pageOf(found, verdict, key, value, paintFor(world)),
  )
  return verdict.standing === 'fresh' || verdict.standing === 'stale' ? 0 : 1
}

function pageOf(
  found: Found,
  verdict: Verdict,
  key: string,
  value: string | undefined,
  paint: Paint,
): string {
  const colour = {
    fresh: paint.ok,
    stale: paint.warning,
    miss: paint.problem,
    absent: paint.problem,
  }
  const rows = describe(found, verdict).map(([name, text]) => {
    const shown = name === 'verdict' ? colour[verdict.standing](text) : text
    return `  ${paint.dim(name.padEnd(NAME_WIDTH))}${shown}\n`
  })
  const shownValue = value === undefined ? '' : `\n${value}\n`
  return `${paint.bold(plain(key))}\n${rows.join('')}${shownValue}`
}
