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
      tsconfigRaw: {
        compilerOptions: { experimentalDecorators: false, useDefineForClassFields: true },
      },
    })
    return { code: result.code, map: result.map }
  },
}

/**
 * On real servers, which the set-up finds or installs. After the other projects, since their bounds
 * are milliseconds of real time, on a machine that others may use too.
 */
const onRealRedis = {
  retry: process.env.CI ? 2 : 0,
  globalSetup: ['test/redis/servers/global-setup.ts'],
  setupFiles: ['test/fixed-seed.ts'],
  pool: 'forks' as const,
  maxWorkers: 2,
  testTimeout: 60_000,
  hookTimeout: 60_000,
}

/** These keep a machine of two cores busy by themselves. */
const redisLoad = [
  'test/redis/example/outage.test.ts',
  'test/redis/bottleneck/**/*.test.ts',
  'test/redis/faults/soak.test.ts',
  'test/redis/limiter/**/*.test.ts',
  'test/redis/nemesis/**/*.test.ts',
  'test/redis/processes/**/*.test.ts',
]

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [standardDecorators],
        test: {
          name: 'unit',
          setupFiles: ['test/fixed-seed.ts'],
          include: ['test/**/*.test.ts'],
          exclude: ['test/package/**', 'test/decorators-legacy/**', 'test/redis/**'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          ...onRealRedis,
          name: 'redis',
          include: ['test/redis/**/*.test.ts'],
          exclude: redisLoad,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...onRealRedis,
          name: 'redis-load',
          include: redisLoad,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        // The core of it on the oldest ioredis that is supported.
        resolve: { alias: [{ find: /^ioredis$/, replacement: 'ioredis-5' }] },
        test: {
          ...onRealRedis,
          name: 'redis-ioredis5',
          include: [
            'test/redis/client-version.test.ts',
            'test/redis/connection/single.test.ts',
            'test/redis/protocol/conformance.test.ts',
            'test/redis/sentinel/failover.test.ts',
            'test/redis/cluster/routing.test.ts',
          ],
          env: { RC_IOREDIS: '5' },
          sequence: { groupOrder: 3 },
        },
      },
      {
        // The same decorators as NestJS users compile them: three arguments instead of two.
        oxc: { decorator: { legacy: true } },
        test: {
          name: 'legacy-decorators',
          include: ['test/decorators-legacy/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            checker: 'tsc',
            include: ['test/types/**/*.test-d.ts'],
            tsconfig: './test/types/tsconfig.json',
          },
        },
      },
      {
        // Needs a build: run by `npm run package`, never by `npm test`.
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/package/install-tarball.ts'],
          testTimeout: 60_000,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // Runs in a thread of its own, where the coverage of V8 does not reach; its tests do.
      exclude: ['src/adapters/sqlite/sqlite-worker.ts'],
      reporter: ['text-summary', 'html', 'lcovonly'],
      thresholds: {
        lines: 85,
        'src/read-path/**': { lines: 92 },
        'src/facade/**': { lines: 92 },
        'src/l1/**': { lines: 92 },
      },
    },
  },
})
