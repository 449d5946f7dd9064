import { defineConfig } from 'tsup'

/** What users import: one entry for each subpath of `exports` in package.json. */
export const entries = {
  index: 'src/index.ts',
  redis: 'src/redis.ts',
  sqlite: 'src/sqlite.ts',
  keyv: 'src/keyv.ts',
  bottleneck: 'src/bottleneck.ts',
  dataloader: 'src/dataloader.ts',
  express: 'src/express.ts',
  llm: 'src/llm.ts',
  testing: 'src/testing.ts',
}

/**
 * Files that the code starts by URL: `new URL('./sqlite-worker.js', import.meta.url)` is read from a
 * chunk, and every chunk lies flat in dist, so the worker has to lie there too.
 */
export const workers = {
  'sqlite-worker': 'src/adapters/sqlite/sqlite-worker.ts',
}

/** Programs: `bin` in package.json. Nobody imports them, so they have no types. */
export const programs = {
  cli: 'src/cli.ts',
}

export default defineConfig({
  entry: { ...entries, ...workers, ...programs },
  // Node >= 22.13 loads it by require() too.
  format: ['esm'],
  target: 'node22',
  platform: 'node',
  dts: { entry: entries },
  // The default strips 'node:', and node:sqlite has no name without it.
  removeNodeProtocol: false,
  sourcemap: true,
  clean: true,
  // One copy of the shared code, however many entries a program imports.
  splitting: true,
  treeshake: false,
  // A third less to parse at each start. Names stay, so that stack traces can be read.
  esbuildOptions(options) {
    options.minifyWhitespace = true
    options.minifySyntax = true
  },
})
