import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Not `dist`: a benchmark must neither measure an old build nor replace one that is in use. */
const target = 'node_modules/.cache/bench-build'

/**
 * Builds the present source as `npm run build` does (same engine, target and code splitting), without
 * declarations.
 * @returns the folder of the built files
 */
export async function buildLibrary(): Promise<string> {
  await build({
    absWorkingDir: root,
    entryPoints: {
      index: 'src/index.ts',
      redis: 'src/redis.ts',
      sqlite: 'src/sqlite.ts',
      keyv: 'src/keyv.ts',
      testing: 'src/testing.ts',
      'sqlite-worker': 'src/adapters/sqlite/sqlite-worker.ts',
    },
    outdir: target,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    packages: 'external',
    splitting: true,
    sourcemap: true,
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'error',
  })
  return `${root}${target}`
}
