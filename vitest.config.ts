import { transform } from 'esbuild'
import { defineConfig } from 'vitest/config'

/**
 * Vite 8 leaves TC39 decorators in place and Node has none, so the files that use them go through
 * esbuild first.
 */
const standardDecorators = {
  name: 'standard-decorators',
  enforce: 'pre' as const,
  async transform(code: string, id: string) {
    if (!/\.ts$/.test(id) || !/^\s*@\w/m.test(code)) return null
    const result = await transform(code, {
      loader: 'ts',
      target: 'es2022',
      sourcemap: true,
      sourcefile: id,
      tsconfigRaw: { compilerOptions: { experimentalDecorators: false, useDefineForClassFields: true } },
    })
    return { code: result.code, map: result.map }
  },
}

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [standardDecorators],
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/package/**', 'test/decorators-legacy/**'], testTimeout: 20_000 },
      },
    ],
  },
})
