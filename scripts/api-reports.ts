// Compares the public surface of each built entry with its report in api/. A difference is an API
// change: review it, then write the new report with `npm run api` (--update).
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { entries } from '../tsup.config.ts'

const update = process.argv.includes('--update')
const root = fileURLToPath(new URL('../', import.meta.url))
const reports = join(root, 'api')
const scratch = mkdtempSync(join(tmpdir(), 'api-reports-'))
const quiet = { logLevel: ExtractorLogLevel.None, addToApiReportFile: false }

let failed = false
mkdirSync(reports, { recursive: true })
for (const name of Object.keys(entries)) {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, `dist/${name}.d.ts`),
      compiler: {
        // The bundled compiler reads only the emitted declarations, never the sources.
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2023',
            lib: ['es2023', 'esnext.disposable', 'esnext.decorators'],
            module: 'nodenext',
            moduleResolution: 'nodenext',
            types: ['node'],
            strict: true,
            skipLibCheck: true,
          },
          files: [join(root, `dist/${name}.d.ts`)],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: reports,
        reportTempFolder: scratch,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        extractorMessageReporting: {
          // Stays in the report, where a review sees it.
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.None, addToApiReportFile: true },
          'ae-missing-release-tag': quiet,
          'ae-unresolved-link': quiet,
          'ae-undocumented': quiet,
        },
        tsdocMessageReporting: { default: quiet },
      },
    },
  })
  const result = Extractor.invoke(config, {
    localBuild: update,
    showVerboseMessages: false,
    printApiReportDiff: true,
    messageCallback(message) {
      // Of its own notices only what is wrong is worth a line.
      if (['console-preamble', 'console-compiler-version-notice'].includes(message.messageId)) {
        message.handled = true
      }
    },
  })
  if (result.succeeded) {
    console.log(`api/${name}.api.md ${result.apiReportChanged ? 'written' : 'agrees'}`)
  } else {
    failed = true
    console.error(`api/${name}.api.md differs: run \`npm run api\` and review the change`)
  }
}
rmSync(scratch, { recursive: true, force: true })
process.exitCode = failed ? 1 : 0
