import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleOf, startAuth, startRealtime, testRedis } from '@portcullis/local'
import t from 'tap'
import { parse } from 'yaml'
import { type ComposeService, folder, readCompose } from './compose.js'

// Throws when a service lacks limits, log rotation or a part of its sandbox.
const { services, secrets, configs, networks, volumes } = readCompose()

t.test('everything that a service names exists', async (t) => {
  for (const [name, service] of Object.entries(services)) {
    const known = (kind: string, names: readonly string[], all: object) => {
      for (const each of names) {
        t.ok(Object.hasOwn(all, each), `${name}: ${kind} ${each}`)
      }
    }
    known('secret', service.secrets ?? [], secrets)
    known(
      'config',
      (service.configs ?? []).map(({ source }) => source),
      configs,
    )
    known('service', Object.keys(service.depends_on ?? {}), services)
    const joined = service.networks ?? []
    known('network', Array.isArray(joined) ? joined : Object.keys(joined), networks)
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':')
      if (source.startsWith('.')) {
        t.ok(existsSync(join(folder, source)), `${name}: ${source}`)
      } else {
        known('volume', [source], volumes)
      }
    }
    if (service.build !== undefined) {
      const dockerfile = readFileSync(join(folder, service.build.context, service.build.dockerfile))
      t.match(dockerfile.toString(), ` AS ${service.build.target}\n`)
    }
  }
  for (const { file } of Object.values(configs)) {
    t.ok(existsSync(join(folder, file)), file)
  }
})

t.test('only the proxy is public', async (t) => {
  for (const [name, { ports = [] }] of Object.entries(services)) {
    for (const port of name === 'proxy' ? [] : ports) {
      t.match(port, /^127\.0\.0\.1:/, name)
    }
  }
})

t.test("a node cannot reach the registry's Redis, nor auth the nodes' Redis", async (t) => {
  const of = (name: string) => services[name]?.networks
  t.same(of('redis'), ['registry'])
  t.same(of('broker'), ['broker'])
  t.same(of('auth'), ['default', 'registry'])
  t.same(of('realtime-1'), ['default', 'broker'])
  t.same(of('realtime-2'), ['default', 'broker'])
})

t.test('Compose waits longer than a service may take to stop', async (t) => {
  for (const name of ['auth', 'realtime-1', 'realtime-2']) {
    const { environment = {}, stop_grace_period: period = '' } = services[name] ?? {}
    const needed =
      Number(environment['SHUTDOWN_DELAY_MS']) + Number(environment['CLOSE_DEADLINE_MS'])
    t.ok(Number.parseInt(period, 10) * 1000 >= needed + 3000, name)
  }
})

t.test('Prometheus reads every process that has metrics', async (t) => {
  const { scrape_configs: jobs } = parse(
    readFileSync(join(folder, configs['prometheus']?.file ?? ''), 'utf8'),
  )
  t.same(
    jobs.flatMap((job: { static_configs: { targets: string[] }[] }) =>
      job.static_configs.flatMap(({ targets }) => targets),
    ),
    ['auth:9464', 'realtime-1:9464', 'realtime-2:9464'],
  )
})

t.test('auth and a node start with the environment of compose.yaml', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-compose-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const redis = await testRedis(t)
  const code = randomBytes(32).toString('base64url')
  writeFileSync(join(dir, 'admin_code'), code)
  writeFileSync(join(dir, 'key_encryption_secret'), randomBytes(32).toString('base64url'))
  writeFileSync(join(dir, 'realtime.code'), code)
  const environment = (service: ComposeService | undefined, authUrl = '') =>
    Object.fromEntries(
      Object.entries(service?.environment ?? {}).map(([name, value]) => [
        name,
        String(value)
          .replace('/run/secrets', dir)
          .replace('/registration', dir)
          .replace(/^redis:\/\/\w+:6379$/, redis.url)
          .replace('http://auth:4000', authUrl),
      ]),
    )
  const ours = { SHUTDOWN_DELAY_MS: '0' }
  const auth = await startAuth({
    redisUrl: '',
    prefix: redis.prefix,
    program: bundleOf('auth'),
    env: {
      ADMIN_REGISTRATION_CODE: '',
      KEY_ENCRYPTION_SECRET: '',
      ...environment(services['auth']),
      ...ours,
    },
  })
  t.teardown(() => auth.stop())
  const realtime = await startRealtime({
    redisUrl: '',
    prefix: `${redis.prefix}-nodes`,
    authUrl: '',
    credentials: { identity: '', registrationCode: '' },
    program: bundleOf('realtime'),
    // The administrator may do what a node does.
    env: { ...environment(services['realtime-1'], auth.url), ...ours, IDENTITY: 'admin' },
  })
  t.teardown(() => realtime.stop())
  t.equal((await fetch(`${realtime.url}/ready`)).status, 200)
})
