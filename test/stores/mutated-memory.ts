import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Store } from '../../src/contracts/store.ts'

const FOLDER = fileURLToPath(new URL('../../src/stores/', import.meta.url))

export interface Mutation {
  readonly file: string
  /** Must occur once in the file: a mutation that no longer fits the source is an error. */
  readonly from: string
  readonly to: string
}

/** The memory store, built from its source with one change. */
export async function mutatedMemory({ file, from, to }: Mutation): Promise<() => Store> {
  const path = `${FOLDER}${file}`
  const source = await readFile(path, 'utf8')
  if (source.split(from).length !== 2) throw new Error(`${file} must contain once: ${from}`)
  const { outputFiles } = await build({
    entryPoints: [`${FOLDER}memory-store.ts`],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    plugins: [
      {
        name: 'mutation',
        setup({ onLoad }) {
          onLoad({ filter: new RegExp(`${file.replace('.', '\\.')}$`) }, () => ({
            contents: source.replace(from, () => to),
            loader: 'ts',
          }))
        },
      },
    ],
  })
  const code = Buffer.from(outputFiles[0]?.contents ?? '').toString('base64')
  const module = (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as {
    memory: () => Store
  }
  return module.memory
}
