import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of an otherwise empty project in which the packed package is installed. */
    installed: string
  }
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Packs the package as `npm publish` would and installs it into an empty project, once for all tests. */
export function setup(project: TestProject): () => void {
  if (!existsSync(join(root, 'dist/index.js'))) {
    throw new Error(
      'Nothing is built: run `npm run build`, or `npm run package` which does it too.',
    )
  }
  const folder = mkdtempSync(join(tmpdir(), 'resilient-cache-installed-'))
  const npm = (args: string[], cwd: string) =>
    execFileSync('npm', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })

  npm(['pack', '--pack-destination', folder], root)
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack left no tarball')

  writeFileSync(join(folder, 'package.json'), '{ "name": "empty", "private": true }\n')
  npm(['install', `./${tarball}`, '--prefer-offline', '--no-audit', '--no-fund'], folder)
  for (const file of ['smoke.cjs', 'smoke.mjs']) {
    cpSync(join(root, 'test/package', file), join(folder, file))
  }

  project.provide('installed', folder)
  return () => rmSync(folder, { recursive: true, force: true })
}
