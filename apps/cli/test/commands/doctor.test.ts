import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Answer, type Asked, installation, type Script } from '../fixtures/installation.js'
import { run } from '../fixtures/run.js'

const since = Date.now()
const node = {
  node: 'one',
  instance: 'abcdefgh',
  identity: 'realtime',
  connected: true,
  fenced: false,
  pending: 0,
  since,
}
const settings = {
  appendonly: 'yes',
  appendfsync: 'always',
  maxmemory: '0',
  'maxmemory-policy': 'noeviction',
  'min-replicas-to-write': '0',
  'min-replicas-max-lag': '10',
}
const server = {
  answers: true,
  version: '7.2.4',
  role: 'master',
  replicas: 0,
  lastWrite: 'ok',
  clockOffsetMs: 0.2,
  roundTripMs: 1,
  settings,
}
const registry = {
  at: since,
  cluster: false,
  partitions: 1,
  leaseMs: 10_000,
  revocationReplicas: 0,
}
const part = (json: object) => Buffer.from(JSON.stringify(json)).toString('base64url')
const token = (iss: string, scope: string) => `${part({ kid: 'k' })}.${part({ iss, scope })}.s`

/** Runs doctor on an installation that is healthy except for what the arguments change. */
async function examined(
  t: Test,
  script: Script,
  {
    nodes = [{ ...node }],
    servers = [{ ...server }],
  }: { nodes?: object[]; servers?: object[] } = {},
) {
  let base = ''
  const oauth = ({ body }: Asked): Answer => {
    const scope = new URLSearchParams(body).get('scope') ?? 'admin'
    return { body: { access_token: token(base, scope), token_type: 'Bearer', expires_in: 300 } }
  }
  const { url, cwd, tokens } = await installation(t, {
    ...script,
    routes: {
      'POST /oauth/token': oauth,
      'GET /health': { body: { status: 'ok' } },
      'GET /ready': { body: { status: 'ready' } },
      'GET /.well-known/oauth-authorization-server': () => ({
        body: { issuer: base, jwks_uri: `${base}/.well-known/jwks.json` },
      }),
      'GET /.well-known/jwks.json': { body: { keys: [{ kid: 'k' }] } },
      'GET /v1/nodes': () => ({ body: { nodes: nodes.map((one) => ({ url: base, ...one })) } }),
      'GET /v1/registry': { body: { ...registry, servers } },
      ...script.routes,
    },
  })
  base = url
  chmodSync(join(cwd, '.portcullis', 'local.json'), 0o600)
  const { code, stdout, stderr } = await run(['doctor'], { cwd })
  const all = stdout.split('\n')
  return {
    cwd,
    url,
    code,
    stderr,
    /** Tokens with which sockets were opened. */
    tokens,
    /** Lines that are not ok, with ` | ` between columns. */
    faults: all
      .filter((line) => /^failed|^warning/.test(line))
      .map((line) => line.replace(/ {2,}/g, ' | ')),
    advice: all.filter((line) => line.includes('→')).map((line) => line.trim()),
  }
}

t.test('a healthy installation passes every check', async (t) => {
  const { code, faults, cwd, url, tokens } = await examined(t, {})
  t.same(faults, [])
  t.equal(code, 0)
  t.same(
    tokens,
    [token(url, 'nodes:read')],
    'a URL that a node reports gets a token with a harmless scope',
  )
  const json = JSON.parse((await run(['doctor', '--json'], { cwd })).stdout)
  t.equal(json.ok, true)
  t.match(json.checks, [{ name: 'node', verdict: 'ok', found: process.version }])
})

const status = (code: number, body: unknown = {}): Answer => ({ status: code, body })
const cases: [
  string,
  Script['routes'],
  Parameters<typeof examined>[2],
  (string | RegExp)[],
  string[]?,
][] = [
  [
    'a wrong registration code',
    {
      'POST /oauth/token': status(401, {
        error: 'invalid_client',
        error_description: 'wrong code',
      }),
    },
    {},
    ['failed | credentials | auth issued no token: wrong code (HTTP 401)'],
    ['→ check the identity and its registration code'],
  ],
  [
    'services that are not ready',
    { 'GET /ready': status(503, { reasons: { redis: 'Redis does not answer' } }) },
    {},
    [
      'failed | auth | not ready: redis: Redis does not answer',
      'failed | one | not ready: redis: Redis does not answer',
    ],
  ],
  [
    'a node that can read the registry',
    { 'GET /health': { body: { status: 'ok', warnings: { redis: 'its user can read it' } } } },
    {},
    ['warning | auth redis | its user can read it', 'warning | one redis | its user can read it'],
    Array(2).fill(
      '→ give auth and the nodes separate Redis servers or Redis users: docs/security.md',
    ),
  ],
  [
    'another program at the URL of auth',
    { 'GET /health': status(404) },
    {},
    [/^failed \| auth \| .*\/health answered HTTP 404/, /^failed \| 127.0.0.1:\d+ \| .* HTTP 404/],
  ],
  [
    'an issuer that is not the URL',
    {
      'GET /.well-known/oauth-authorization-server': {
        body: { issuer: 'https://auth.example.com', jwks_uri: 'https://auth.example.com/jwks' },
      },
    },
    {},
    [
      /^warning \| issuer \| auth calls itself https:\/\/auth.example.com, but its URL here is http/,
      'failed | keys | your token is from another issuer',
    ],
  ],
  [
    'a key that is not published',
    { 'GET /.well-known/jwks.json': { body: { keys: [{ kid: 'other' }] } } },
    {},
    ['failed | keys | your token is signed with a key that is not published'],
  ],
  [
    'a caller without permission, and an auth without a report',
    { 'GET /v1/nodes': status(403, { detail: 'no' }), 'GET /v1/registry': status(404, {}) },
    {},
    [
      'warning | nodes | not checked: you have no permission',
      'warning | redis | not checked: auth has no /v1/registry',
    ],
  ],
  [
    'nodes that are fenced, away or late',
    {},
    {
      nodes: [
        { ...node, fenced: true },
        { ...node, node: 'two', connected: false },
        { ...node, node: 'three', pending: 4 },
        { ...node, node: 'four', url: undefined },
      ],
    },
    [
      'failed | one lease | fenced: its lease has expired',
      'failed | two lease | away: it has no connection to auth',
      'warning | three lease | connected, 4 revocations not acknowledged',
      /^warning \| four lease \| connected, but it reports no URL/,
    ],
  ],
  ['no node', {}, { nodes: [] }, ['failed | nodes | auth knows no realtime node']],
  [
    'a Redis without persistence',
    {},
    { servers: [{ ...server, lastWrite: 'err', settings: { ...settings, appendonly: 'no' } }] },
    [
      'failed | redis | aof_last_write_status err',
      'failed | redis | appendonly no: a restart loses revocations and tokens',
    ],
    [
      '→ check its log and its disk: it cannot write its append-only file',
      '→ set appendonly yes and appendfsync always',
    ],
  ],
  [
    'a Redis that is old, a replica, may evict keys, and has another time',
    {},
    {
      servers: [
        {
          ...server,
          version: '6.2.1',
          role: 'slave',
          clockOffsetMs: -3_600_000,
          settings: { ...settings, 'maxmemory-policy': 'volatile-ttl' },
        },
      ],
    },
    [
      'failed | redis | version 6.2.1 is too old',
      'failed | redis | is a slave',
      /^warning \| redis \| maxmemory-policy volatile-ttl/,
      'failed | redis clock | redis is 1h behind auth',
    ],
  ],
  [
    'Redis servers that are nearly full',
    {},
    {
      servers: [
        { ...server, server: 'a', usedMemory: 800e6, maxMemory: 1e9 },
        { ...server, server: 'b', usedMemory: 960e6, maxMemory: 1e9 },
        { ...server, server: 'c', usedMemory: 5e9, maxMemory: 0, systemMemory: 8e9 },
      ],
    },
    [
      /^warning \| redis a memory \| 800 MB of 1.0 GB \(maxmemory\): a full Redis refuses/,
      /^failed \| redis b memory \| 960 MB of 1.0 GB/,
      /^warning \| redis c memory \| 5.0 GB of the machine's 8.0 GB, no maxmemory/,
    ],
  ],
  [
    'a Redis with unreadable settings, and one that does not respond',
    {},
    { servers: [{ answers: true }, { answers: false, server: '10.0.0.2:6379' }] },
    [
      'warning | redis | auth may not read its settings',
      'failed | redis 10.0.0.2:6379 | does not respond to auth',
    ],
  ],
]
for (const [name, routes = {}, given, expected, advice] of cases) {
  t.test(name, async (t) => {
    const outcome = await examined(t, { routes }, given)
    t.match(outcome.faults, expected)
    t.equal(outcome.faults.length, expected.length, outcome.faults.join('\n'))
    t.equal(outcome.code, outcome.faults.some((line) => line.startsWith('failed')) ? 1 : 0)
    if (advice !== undefined) {
      t.same(outcome.advice, advice)
    }
  })
}

t.test('warns of replica and Cluster settings that weaken the guarantee', async (t) => {
  const cluster = {
    ...registry,
    cluster: true,
    leaseMs: 9000,
    revocationReplicas: 2,
    servers: [
      { replicas: 1 },
      { replicas: 2, settings: { ...settings, 'min-replicas-to-write': '1' } },
      {
        replicas: 2,
        settings: { ...settings, 'min-replicas-to-write': '2', 'min-replicas-max-lag': '1' },
      },
      {
        replicas: 3,
        settings: {
          ...settings,
          'min-replicas-to-write': '1',
          'min-replicas-max-lag': '1',
          'cluster-node-timeout': '3000',
          'cluster-require-full-coverage': 'no',
        },
      },
    ].map((one, index) => ({
      ...server,
      ...one,
      server: `${index}`,
      settings: { 'cluster-node-timeout': '2000', ...(one.settings ?? settings) },
    })),
  }
  const { faults } = await examined(t, { routes: { 'GET /v1/registry': { body: cluster } } })
  t.match(faults, [
    'failed | redis 0 | revocations wait for 2 replicas (REVOCATION_REPLICAS), but 1 are connected',
    /^failed \| redis 0 \| min-replicas-to-write 0: a primary that is cut off still accepts writes/,
    'failed | redis 1 | min-replicas-max-lag 10 s is not shorter than cluster-node-timeout 2000 ms',
    /^warning \| redis 2 \| 2 replicas, but writes need 2/,
    'warning | redis 3 | cluster-node-timeout 3000 ms: nodes hold their connections during a failover',
    'warning | redis 3 | cluster-require-full-coverage no',
  ])
  t.equal(faults.length, 6, faults.join('\n'))
})

t.test('reports a socket that does not open', async (t) => {
  const { faults, code } = await examined(t, { refuse: () => 401 })
  t.match(faults, [/^failed \| one socket \| refused 401: the token is revoked, expired/])
  t.equal(code, 1)
})

t.test('compares the clocks of this machine and of a node with auth', async (t) => {
  const at = (offsetMs: number) => ({ date: new Date(Date.now() + offsetMs).toUTCString() })
  const ahead = await examined(t, {
    routes: { 'GET /health': () => ({ body: {}, headers: at(3 * 60_000) }) },
  })
  t.match(ahead.faults, [/^warning \| clock \| this machine is 3m behind auth$/])
  t.equal(ahead.code, 0)
  let asked = 0
  const apart = await examined(t, {
    routes: { 'GET /health': () => ({ body: {}, headers: asked++ === 0 ? {} : at(-60_000) }) },
  })
  t.match(apart.faults, [/^failed \| one clock \| one is (1m|59s) behind auth$/])
  t.equal(apart.code, 1)
})

t.test('fails for a file that other users can read', async (t) => {
  const { cwd } = await installation(t, {})
  const file = join(cwd, '.portcullis', 'local.json')
  chmodSync(file, 0o644)
  const { code, stdout } = await run(['doctor'], { cwd })
  t.equal(code, 1)
  t.ok(stdout.includes(`other users can read the registration code in ${file} (0644)`), stdout)
  t.ok(stdout.includes(`→ chmod 600 ${file}`))
})

t.test('checks the nodes also when auth is down', async (t) => {
  const { cwd, url } = await installation(t, { routes: { 'GET /health': {}, 'GET /ready': {} } })
  const args = [
    'doctor',
    '--auth',
    'http://127.0.0.1:1',
    '--realtime',
    `${url},http://ws.example.com:1`,
  ]
  const { code, stdout } = await run(args, { cwd })
  t.equal(code, 1)
  t.match(stdout, /^failed +auth +cannot reach auth at http:\/\/127\.0\.0\.1:1 /m)
  t.match(stdout, /^ok +127\.0\.0\.1:\d+ +ready at /m)
  t.match(stdout, /^warning +encryption +http:\/\/ws\.example\.com:1 is not encrypted/m)
  t.notMatch(stdout, /credentials|issuer/)
})
