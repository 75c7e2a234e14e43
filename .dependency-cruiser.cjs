/**
 * The import rules (docs/architecture.md): which folder may import what, type imports included.
 */
const external = (...names) => names.map((name) => `(?:^|/)node_modules/(?:@types/)?${name}(?:/|$)`)
const own = (name) => `^packages/${name}/`
const nodeBuiltins = { dependencyTypesNot: ['core'] }

/** A package's src may import itself and what is listed; Node's own modules where `core` says so. */
const room = (name, path, allowed, { core = false } = {}) => ({
  name,
  severity: 'error',
  from: { path: `^${path}/src/` },
  to: { pathNot: [`^${path}/src/`, ...allowed], ...(core ? nodeBuiltins : {}) },
})

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'no circle of imports at run time; circles of type imports are allowed',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-type-circles',
      severity: 'error',
      comment:
        'every import points down, type imports too; move a shared type to a file below both',
      from: { path: '^(?:apps|packages)/[^/]+/src/' },
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment: 'every import resolves, and package.json names its package',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-only',
      severity: 'error',
      comment: 'a package must be a dependency of the workspace that imports it',
      from: { pathNot: '(?:^|/)(?:test|example)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-tests-in-sources',
      severity: 'error',
      from: { path: '^(?:apps|packages)/[^/]+/src/' },
      to: { path: '/test/' },
    },
    {
      name: 'packages-do-not-import-apps',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { path: '^apps/' },
    },
    {
      name: 'apps-do-not-import-apps',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'through-exports',
      severity: 'error',
      comment: 'a package is imported by its name, never by a path into it',
      from: { path: '^(?:apps|packages|examples|infra/local|test)/([^/]+)/' },
      to: {
        path: '^packages/[^/]+/src/',
        pathNot: '^packages/$1/',
      },
    },
    {
      name: 'built-parts-for-the-simulation-alone',
      severity: 'error',
      comment:
        'only the simulation of the guarantee imports the inside of auth, gate and realtime, to run it on its own clock and network; other code goes through exports',
      from: { pathNot: ['^test/simulation/', '^infra/docs/'] },
      to: { path: '^(?:apps|packages)/[^/]+/dist/', dependencyTypes: ['local'] },
    },
    room('contracts', 'packages/contracts', external('@sinclair/typebox')),
    room(
      'protocol',
      'packages/protocol',
      [...external('@sinclair/typebox', 'protobufjs'), own('contracts')],
      { core: true },
    ),
    room(
      'gate',
      'packages/gate',
      [
        ...external(
          '@sinclair/typebox',
          'fastify',
          'fastify-plugin',
          '@fastify/websocket',
          'undici',
          'ws',
        ),
        own('contracts'),
      ],
      { core: true },
    ),
    room('client', 'packages/client', [...external('centrifuge'), own('contracts')]),
    room('backend', 'packages/backend', [...external('@sinclair/typebox'), own('contracts')]),
    room('react', 'packages/react', [...external('react', 'centrifuge'), own('client')]),
    {
      name: 'redis-and-service-know-no-domain',
      severity: 'error',
      from: { path: '^packages/(?:redis|service)/src/' },
      to: { path: '^packages/(?!redis/|service/)' },
    },
    {
      name: 'routes-never-touch-redis',
      severity: 'error',
      from: { path: '^apps/[^/]+/src/routes/' },
      to: { path: ['ioredis', '^packages/redis/'] },
    },
    {
      name: 'only-app-wires',
      severity: 'error',
      comment:
        'rooms receive what they need as arguments; app.ts, tests and the simulation wire them',
      from: { path: '^apps/realtime/src/', pathNot: '^apps/realtime/src/(?:app\\.ts$|wire/)' },
      to: { path: '^apps/realtime/src/wire/' },
    },
    {
      name: 'redis-stays-in-its-rooms',
      severity: 'error',
      comment: 'registry, keys and broker open and use the connections',
      from: {
        path: '^apps/[^/]+/src/',
        pathNot: '^apps/[^/]+/src/(?:registry/|keys/|broker/)',
      },
      to: { path: ['ioredis', '^packages/redis/'] },
    },
    {
      name: 'http-clients-stay-with-handlers',
      severity: 'error',
      comment:
        'connection/ calls the application through an interface; auth makes HTTP requests only to push security events; the command line sets its certificates',
      from: {
        path: '^apps/[^/]+/src/',
        pathNot:
          '^apps/(?:(?:realtime/src/handlers|auth/src/events)/|cli/src/installation/tls\\.ts$)',
      },
      to: { path: external('undici') },
    },
    {
      name: 'nouns-do-not-know-http',
      severity: 'error',
      from: {
        path: '^apps/[^/]+/src/(?:registry|keys|hub|connection|broker|sessions|handlers|events)/',
      },
      to: { path: ['/routes/', 'node_modules/(?:@fastify|fastify)', '^packages/service/'] },
    },
    {
      name: 'wiring-from-app-alone',
      severity: 'error',
      comment:
        'wire/ puts the rooms together, and a room gets what it needs as an argument; decorations.ts declares types',
      from: { path: '^apps/([^/]+)/src/', pathNot: '^apps/[^/]+/src/(?:wire/|app\\.ts$)' },
      to: { path: '^apps/$1/src/wire/', pathNot: '/decorations\\.ts$' },
    },
    {
      name: 'grants-know-no-network',
      severity: 'error',
      comment: 'admission/ and feed/ use grants/; grants/ is the same for every way in',
      from: { path: '^packages/gate/src/grants/' },
      to: { path: ['^packages/gate/src/feed/', ...external('undici', 'ws')] },
    },
    {
      name: 'admission-and-feed-meet-in-grants',
      severity: 'error',
      comment: 'what an admission must know of a revocation, it reads from the grants',
      from: { path: '^packages/gate/src/(admission|feed)/' },
      to: { path: '^packages/gate/src/(?:admission|feed)/', pathNot: '^packages/gate/src/$1/' },
    },
    {
      name: 'commands-see-no-socket',
      severity: 'error',
      comment: 'a command answers through its session; the transport is below the connection',
      from: { path: '^apps/realtime/src/connection/commands/' },
      to: { path: '^apps/realtime/src/connection/(?:io|timing)/' },
    },
    {
      name: 'io-and-timing-know-no-command',
      severity: 'error',
      comment: 'bytes and timers are below commands and subscriptions',
      from: { path: '^apps/realtime/src/connection/(?:io|timing)/' },
      to: { path: '^apps/realtime/src/connection/(?:commands|subscriptions)/' },
    },
    {
      name: 'hub-below-connection-and-broker',
      severity: 'error',
      comment: 'the hub has members and a backplane, as interfaces of its own',
      from: { path: '^apps/realtime/src/hub/' },
      to: { path: '^apps/realtime/src/(?:connection|broker|routes|handlers|server)/' },
    },
    {
      name: 'connection-knows-no-broker',
      severity: 'error',
      comment: 'a connection reaches channels through the hub',
      from: { path: '^apps/realtime/src/connection/' },
      to: { path: '^apps/realtime/src/broker/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    tsConfig: { fileName: 'tsconfig.base.json' },
    exclude: { path: ['/dist/.*\\.map$', '\\.tap/'] },
    doNotFollow: { path: ['node_modules', '/dist/', '/bundle/'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'default', 'node'],
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.d.ts', '.json'],
    },
  },
}
