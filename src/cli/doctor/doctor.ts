import type { Settings } from '../../adapters/redis/ioredis/settings.ts'
import { invalidOption } from '../../kernel/options.ts'
import type { CliWorld, ExitCode } from '../cli-world.ts'
import { type OptionTable, parseCommandLine } from '../command-line.ts'
import { CONNECT_OPTIONS, connectSettings } from '../connect-options.ts'
import { paintFor } from '../paint.ts'
import { count, milliseconds, plain } from '../text.ts'
import { DOCTOR_USAGE } from '../usage.ts'
import { reach } from '../wire/reach.ts'
import { addressText } from '../wire/route.ts'
import { examineCluster } from './examine-cluster.ts'
import { examineSentinels } from './examine-sentinels.ts'
import { examineServer, routeTo } from './examine-server.ts'
import { printFindings, summaryText } from './print-findings.ts'
import { Report } from './report.ts'

const OPTIONS = {
  ...CONNECT_OPTIONS,
  json: 'flag',
  strict: 'flag',
  help: 'flag',
} as const satisfies OptionTable

const SILENT = { onSection() {}, onFinding() {}, onWait() {} }

/**
 * Looks at Redis as the cache would use it.
 * @throws ERR_INVALID_OPTION for a command line that means nothing
 */
export async function doctor(args: readonly string[], world: CliWorld): Promise<ExitCode> {
  const line = parseCommandLine(args, OPTIONS)
  if (line.flag('help')) {
    world.out.write(DOCTOR_USAGE)
    return 0
  }
  if (line.words.length > 1) throw invalidOption('doctor takes one url at most')
  const settings = await connectSettings(line, line.words[0], world)
  const from = world.clock.now()
  const isJson = line.flag('json')
  const paint = paintFor(world)
  const report = new Report(isJson ? SILENT : printFindings(world.out, world.err, paint))
  if (!isJson) world.out.write(`${headline(settings)}\n`)
  await examine(settings, world, report)
  const ms = world.clock.now() - from
  const problems = report.count('problem') + (line.flag('strict') ? report.count('warning') : 0)
  world.out.write(isJson ? jsonText(report, settings, ms) : summaryText(report, paint, ms))
  return problems === 0 ? 0 : 1
}

async function examine(settings: Settings, world: CliWorld, report: Report): Promise<void> {
  const { target } = settings
  switch (target.kind) {
    case 'standalone': {
      const route = routeTo(target.endpoint, settings)
      const name = addressText(target.endpoint)
      report.section(`Server ${name}`)
      report.wait(`connecting to ${name}`)
      const reached = await reach(route, world.clock)
      report.add(...reached.findings)
      const expectations = { isClustered: false, isWatched: false, owns: () => true }
      return examineServer(reached, route, expectations, settings, world, report)
    }
    case 'sentinel':
      return examineSentinels(target, settings, world, report)
    case 'cluster':
      return examineCluster(target.nodes, settings, world, report)
    case 'client':
      return
  }
}

function headline(settings: Settings): string {
  const { prefix, timeoutMs } = settings
  return `${targetText(settings)} · keys ${plain(prefix)}:* · deadline ${milliseconds(timeoutMs)}`
}

function targetText({ target, tls, db }: Settings): string {
  const secured = tls ? ' with TLS' : ''
  switch (target.kind) {
    case 'standalone':
      return `Redis at ${plain(addressText(target.endpoint))}${db === 0 ? '' : `, database ${db}`}${secured}`
    case 'sentinel':
      return `Redis by ${count(target.sentinels.length, 'sentinel')}, master ${plain(target.masterName)}${secured}`
    case 'cluster':
      return `Redis Cluster by ${count(target.nodes.length, 'node')}${secured}`
    case 'client':
      return ''
  }
}

function jsonText(report: Report, settings: Settings, durationMs: number): string {
  const result = {
    target: settings.target.kind,
    problems: report.count('problem'),
    warnings: report.count('warning'),
    ok: report.count('ok'),
    durationMs: Math.round(durationMs),
    sections: report.sections,
  }
  return `${JSON.stringify(result, null, 2)}\n`
}
