import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { fits, instrument, type Program, programsOf } from './docs-blocks.ts'

const run = promisify(execFile)

export const root = fileURLToPath(new URL('../', import.meta.url))
const reports = new URL('./docs-reports.ts', import.meta.url).href
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

/** Runs a program over the sources. @returns what is not as the document says; empty when all is */
export async function problemsOf(program: Program): Promise<string[]> {
  const folder = await workFolder()
  try {
    const { code, promised } = instrument(program.code)
    const { code: js } = await transform(overSources(code), { loader: 'ts', target: 'node22' })
    await writeFile(join(folder, 'program.mjs'), js)
    const { stdout, failure } = await execute(folder)
    if (failure !== undefined) return [failure]
    const found = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as Array<{
      line: number
      actual: string
    }>
    const problems = promised.flatMap(({ line, text }) => {
      const actual = found.filter((report) => report.line === line).map((report) => report.actual)
      if (actual.length === 0) return [`never reached: ${text}`]
      return actual.filter((one) => !fits(one, text)).map((one) => `not ${text} but ${one}`)
    })
    return [...problems, ...outputProblems(program, stdout)]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Type-checks programs, those that are not run too. @returns what tsc says; empty when all is well */
export async function typeProblems(programs: readonly Program[]): Promise<string> {
  const folder = await workFolder()
  try {
    const files = programs.filter(({ language }) => language === 'ts')
    await Promise.all(
      files.map(({ file, line, code }) =>
        writeFile(
          join(folder, `${file.replaceAll(/\W/g, '-')}-${line}.ts`),
          `${code}\nexport {}\n`,
        ),
      ),
    )
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: {
          paths: {
            [PACKAGE]: [join(root, 'src/index.ts')],
            [`${PACKAGE}/*`]: [join(root, 'src/*.ts')],
          },
          typeRoots: [join(root, 'node_modules/@types')],
        },
        include: ['*.ts'],
        exclude: [],
      }),
    )
    const tsc = join(root, 'node_modules/.bin/tsc')
    return await run(tsc, ['-p', folder], { cwd: folder }).then(
      () => '',
      (error: { stdout?: string }) => error.stdout || String(error),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A folder outside of the repository in which the installed packages are found. */
async function workFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'resilient-cache-docs-'))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await mkdir(join(folder, 'work'))
  return folder
}

async function execute(folder: string): Promise<{ stdout: string; failure?: string }> {
  try {
    const { stdout } = await run(
      process.execPath,
      ['--import', reports, join(folder, 'program.mjs')],
      {
        cwd: join(folder, 'work'),
        env: { ...process.env, DOCS_REPORT: join(folder, 'report.json'), NO_COLOR: '1' },
        timeout: 30_000,
      },
    )
    return { stdout }
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string }
    return { stdout: '', failure: stderr || message }
  }
}

/** A reader imports the package; here that is what lies in src. */
function overSources(code: string): string {
  return code.replaceAll(/'@org\/resilient-cache(?:\/([\w-]+))?'/g, (_, entry?: string) =>
    JSON.stringify(pathToFileURL(join(root, `src/${entry ?? 'index'}.ts`)).href),
  )
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

/** How a test names a program. */
export function placeOf({ file, line }: Program): string {
  return `${relative('.', file)}:${line}`
}
