// Loaded by `node --import` before a program of the documentation: where it reports to.
import { writeFileSync } from 'node:fs'
import { format, inspect } from 'node:util'

const reports: Array<{ line: number; actual: string }> = []
const shown = (value: unknown): string => inspect(value, { breakLength: Infinity, compact: true })
const report = (line: number, actual: string): void => void reports.push({ line, actual })

Object.assign(globalThis, {
  docs: {
    print(line: number, ...values: unknown[]) {
      console.log(...values)
      const texts = values.map((value) => (typeof value === 'string' ? value : shown(value)))
      report(line, format(...texts))
    },
    show: (line: number, value: unknown) => report(line, shown(value)),
    async fails(line: number, run: () => unknown) {
      try {
        report(line, shown(await run()))
      } catch (error) {
        report(line, `throws ${(error as { code?: string }).code ?? String(error)}`)
      }
    },
  },
})

process.on('exit', () => {
  writeFileSync(process.env.DOCS_REPORT as string, JSON.stringify(reports))
})
