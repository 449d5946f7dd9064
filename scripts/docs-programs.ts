import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build, transform } from 'esbuild'
import { entries, workers } from '../tsup.config.ts'
import { fits, instrument, type Program, programsOf } from './docs-blocks.ts'

const run = promisify(execFile)

export const root = fileURLToPath(new URL('../', import.meta.url))
const PACKAGE = '@org/resilient-cache'

/** README.md, CHANGELOG.md and everything in docs/, relative to the root. */
export function documents(): string[] {
  const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  return [
    'README.md',
    'CHANGELOG.md',
    ...inDocs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ].sort()
}

export function readDocument(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

export function allPrograms(): Program[] {
  return documents().flatMap((file) => programsOf(file, readDocument(file)))
}

/** Whether it needs a server: such programs are run by the tests on a real Redis. */
export function needsRedis({ code }: Program): boolean {
  return code.includes(`'${PACKAGE}/redis'`)
}

/**
 * Where programs of the documentation are run and checked: a folder outside of the repository, in
 * which the installed packages are found, with the sources bundled once for all programs.
 */
export class Workshop implements AsyncDisposable {
  readonly #folder: string
  #programs = 0

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async open(): Promise<Workshop> {
    const workshop = new Workshop(await mkdtemp(join(tmpdir(), 'resilient-cache-docs-')))
    try {
      await workshop.#setUp()
      return workshop
    } catch (error) {
      await workshop[Symbol.asyncDispose]()
      throw error
    }
  }

  async #setUp(): Promise<void> {
    const reports = fileURLToPath(import.meta.resolve('./docs-reports.ts'))
    await writeFile(join(this.#folder, 'package.json'), '{"type":"module"}')
    await symlink(join(root, 'node_modules'), join(this.#folder, 'node_modules'))
    await build({
      absWorkingDir: root,
      entryPoints: { ...entries, ...workers, reports },
      outdir: join(this.#folder, 'dist'),
      bundle: true,
      splitting: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node22',
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** Runs a program. @returns what is not as the document says; empty when all is */
  async problemsOf(program: Program): Promise<string[]> {
    const folder = join(this.#folder, `program-${++this.#programs}`)
    await mkdir(folder)
    const { code, promised } = instrument(program.code)
    const { code: js } = await transform(this.#local(code), { loader: 'ts', target: 'node22' })
    await writeFile(join(folder, 'program.mjs'), js)
    const reports = pathToFileURL(join(this.#folder, 'dist/reports.js')).href
    const { stdout, failure } = await execute(folder, reports)
    if (failure !== undefined) return [failure]
    const found = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as Report[]
    const problems = promised.flatMap(({ line, text }) => {
      const actual = found.filter((report) => report.line === line).map((report) => report.actual)
      if (actual.length === 0) return [`never reached: ${text}`]
      return actual.filter((one) => !fits(one, text)).map((one) => `not ${text} but ${one}`)
    })
    return [...problems, ...outputProblems(program, stdout)]
  }

  /** Type-checks programs, also those that are not run. @returns what tsc says; empty when all is well */
  async typeProblems(programs: readonly Program[]): Promise<string> {
    const folder = join(this.#folder, `types-${++this.#programs}`)
    await mkdir(folder)
    for (const { file, line, language, code } of programs) {
      const name = `${file.replaceAll(/\W/g, '-')}-${line}.ts`
      if (language === 'ts') await writeFile(join(folder, name), `${code}\nexport {}\n`)
    }
    const compilerOptions = {
      paths: {
        [PACKAGE]: [join(root, 'src/index.ts')],
        [`${PACKAGE}/*`]: [join(root, 'src/*.ts')],
      },
      typeRoots: [join(root, 'node_modules/@types')],
    }
    const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ ...config, exclude: [] }))
    const tsc = join(root, 'node_modules/.bin/tsc')
    return await run(tsc, ['-p', folder], { cwd: folder }).then(
      () => '',
      (error: { stdout?: string }) => error.stdout || String(error),
    )
  }

  /** A reader imports the package; here that is the bundle. */
  #local(code: string): string {
    return code.replaceAll(/'@org\/resilient-cache(?:\/([\w-]+))?'/g, (_, entry?: string) =>
      JSON.stringify(pathToFileURL(join(this.#folder, `dist/${entry ?? 'index'}.js`)).href),
    )
  }
}

interface Report {
  readonly line: number
  readonly actual: string
}

async function execute(
  folder: string,
  reports: string,
): Promise<{ stdout: string; failure?: string }> {
  const file = join(folder, 'program.mjs')
  const env = { ...process.env, DOCS_REPORT: join(folder, 'report.json'), NO_COLOR: '1' }
  try {
    const { stdout } = await run(process.execPath, ['--import', reports, file], {
      cwd: folder,
      env,
      timeout: 30_000,
    })
    return { stdout }
  } catch (error) {
    const { stdout, stderr, message } = error as { stdout: string; stderr: string; message: string }
    return { stdout, failure: `${message}\n${stdout}\n${stderr}` }
  }
}

function outputProblems({ output }: Program, stdout: string): string[] {
  if (output === undefined) return []
  const actual = stdout.trimEnd().split('\n')
  const expected = output.trimEnd().split('\n')
  const same =
    actual.length === expected.length &&
    expected.every((line, at) => fits(actual[at] as string, line))
  return same ? [] : [`printed\n${stdout}`]
}
