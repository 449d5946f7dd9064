// Imports point one way:
//   kernel <- contracts <- layer 2 <- read-path <- facade <- entry files
// Type imports count, so that the picture is true for a reader and not only for the runtime.

/** What a folder of src may import besides itself. A folder that is not named here may import nothing. */
const MAY_IMPORT = {
  // The clock is a contract that the real one, at the bottom, implements: types only, see below.
  kernel: [],
  contracts: ['kernel'],
  key: ['contracts', 'kernel'],
  codec: ['contracts', 'kernel'],
  envelope: ['contracts', 'kernel'],
  flight: ['contracts', 'kernel'],
  stores: ['contracts', 'kernel'],
  // Breaker, limiter, retry and the others, each a Runner, and the guard that puts them in order.
  policies: ['contracts', 'kernel'],
  // The loader.
  batching: ['contracts', 'kernel'],
  // parallel(), background tasks, lazy imports.
  concurrency: ['contracts', 'kernel'],
  l1: ['contracts', 'kernel'],
  l2: ['contracts', 'kernel', 'envelope', 'codec'],
  adapters: ['contracts', 'kernel'],
  'read-path': ['contracts', 'kernel', 'key', 'codec', 'envelope', 'flight', 'stores', 'l1', 'l2'],
  facade: [
    'contracts',
    'kernel',
    'key',
    'codec',
    'envelope',
    'flight',
    'stores',
    'l1',
    'l2',
    'read-path',
    'policies',
  ],
  // Stands on whole caches: streams are kept in one. Knows the shapes of providers, none of their SDKs.
  llm: ['contracts', 'kernel', 'key', 'read-path', 'facade'],
  // Looks at what the adapters store, without a cache.
  cli: ['contracts', 'kernel', 'envelope', 'codec', 'adapters'],
  // The simulation runs whole caches over the protocol of the Redis level.
  testing: [
    'contracts',
    'kernel',
    'key',
    'codec',
    'stores',
    'envelope',
    'l1',
    'l2',
    'adapters',
    'read-path',
    'facade',
    // The profiles of the models: data.
    'llm',
  ],
}

/** Packages that a user of '.' may not have, and must not pay for. */
const OPTIONAL = ['keyv', '@keyv', 'ioredis', 'prom-client', 'bottleneck', 'express']

const packages = (names) => `(^|node_modules/)(${names.join('|')})(/|$)`

const layers = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `layers-${folder}`,
  comment: `src/${folder} may import only ${[folder, ...allowed].map((name) => `src/${name}`).join(', ')}.`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^src/',
    pathNot: [
      `^src/(${[folder, ...allowed].join('|')})/`,
      ...(folder === 'kernel' ? ['^src/contracts/clock\\.ts$'] : []),
    ],
  },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'layers-undeclared-folder',
      comment: 'A new folder of src needs a line in MAY_IMPORT that says what it may import.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(${Object.keys(MAY_IMPORT).join('|')})/` },
      to: { path: '^src/' },
    },
    {
      name: 'kernel-types-only',
      comment: 'kernel may import the types of contracts/clock, never its code.',
      severity: 'error',
      from: { path: '^src/kernel/' },
      to: { path: '^src/contracts/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'adapters-apart',
      comment: 'An adapter knows the contracts, not the other adapters.',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)/' },
      to: { path: '^src/adapters/', pathNot: '^src/adapters/$1/' },
    },
    {
      name: 'entries-are-the-top',
      comment: 'An entry file gives names to the outside; nothing in src imports one.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/[^/]+\\.ts$' },
    },
    {
      name: 'testing-is-for-tests',
      comment: 'Only the entry ./testing may import src/testing.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/testing(/|\\.ts$)' },
      to: { path: '^src/testing/' },
    },
    {
      name: 'cli-is-a-program',
      comment: 'Only src/cli.ts imports src/cli.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli(/|\\.ts$)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'cli-without-optional-packages',
      comment: 'Whoever has no client yet can run the doctor all the same.',
      severity: 'error',
      from: { path: '^src/cli(/|\\.ts$)' },
      to: { path: packages(OPTIONAL), reachable: true },
    },
    {
      name: 'testing-without-optional-packages',
      comment:
        'The simulation needs the protocol, not a client: ./testing loads no optional package.',
      severity: 'error',
      from: { path: '^src/testing(/|\\.ts$)' },
      to: { path: packages(OPTIONAL), reachable: true },
    },
    {
      name: 'redis-protocol-without-client',
      comment: 'The protocol speaks to a Transport; only adapters/redis/ioredis knows the client.',
      severity: 'error',
      from: { path: '^src/adapters/redis/[^/]+$' },
      to: { path: '^src/adapters/redis/ioredis/' },
    },
    {
      name: 'index-without-adapters',
      comment: "Importing '.' loads no adapter but that of undici, which loads its package later.",
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { path: '^src/adapters/', pathNot: '^src/adapters/undici/', reachable: true },
    },
    {
      name: 'index-without-optional-packages',
      comment: "Importing '.' loads none of the optional packages.",
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { path: packages(OPTIONAL), reachable: true },
    },
    {
      name: 'loaded-on-first-use',
      comment:
        'Who makes no breaker or HTTP pool need not load its engine: only import() names it.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        path: packages(['opossum', 'undici']),
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'no-dev-dependencies',
      comment: 'What src needs at run time is a dependency or an optional peer.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/keyv/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'] },
    },
    {
      name: 'no-dev-dependencies-keyv',
      comment: 'The Keyv adapter may name the types of keyv; the user brings the code.',
      severity: 'error',
      from: { path: '^src/adapters/keyv/' },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional', 'type-only'],
      },
    },
    {
      name: 'nothing-unlisted',
      comment: 'Every package that src names is in package.json.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'src-stands-alone',
      comment: 'src imports nothing from the tests, the benches, the examples or the scripts.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|examples|scripts|dist)/' },
    },
    {
      name: 'no-cycles',
      comment: 'Not even of types.',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      extensions: ['.ts', '.d.ts', '.js'],
    },
  },
}
