import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundleOf, startAuth, startRealtime, testRedis } from '@portcullis/local'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import t, { type Test } from 'tap'
import { example, findWorkload, parse, render, type Workload } from './render.js'
import { skipWithout } from './tools.js'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../../infra/images/register-identity.js', import.meta.url))

const autoscaler = Type.Object({
  kind: Type.Literal('HorizontalPodAutoscaler'),
  spec: Type.Object({
    metrics: Type.Array(
      Type.Object({ pods: Type.Object({ metric: Type.Object({ name: Type.String() }) }) }),
    ),
  }),
})

/** Returns the environment that the chart gives a workload, with texts replaced in its values. */
function environmentOf(
  { spec }: Workload,
  replacements: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    (spec.template.spec.containers[0]?.env ?? []).flatMap(({ name, value }) => {
      let replaced = value
      for (const [from, to] of Object.entries(replacements)) {
        replaced = replaced?.replace(from, to)
      }
      return replaced === undefined ? [] : [[name, replaced]]
    }),
  )
}

/** Starts an API server of Kubernetes that knows one empty Secret. */
async function startKubernetes(t: Test, { path, token }: { path: string; token: string }) {
  let data: Readonly<Record<string, string>> | undefined
  let patches = 0
  const server = createServer(async (request, response) => {
    if (request.url !== path || request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(403).end()
      return
    }
    const body = await text(request)
    if (request.method === 'PATCH') {
      t.equal(request.headers['content-type'], 'application/merge-patch+json')
      patches += 1
      data = { ...data, ...JSON.parse(body).data }
    }
    response.end(JSON.stringify({ kind: 'Secret', ...(data === undefined ? {} : { data }) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    patches: () => patches,
    value: (key: string) => Buffer.from(data?.[key] ?? '', 'base64').toString(),
  }
}

t.test(
  'services start with the settings of the chart, once the Job has registered the nodes',
  { skip: skipWithout('helm') },
  async (t) => {
    const objects = parse(await render([...example('production'), '--namespace', 'prod']))
    const dir = mkdtempSync(join(tmpdir(), 'portcullis-chart-'))
    t.teardown(() => rmSync(dir, { recursive: true, force: true }))
    const redis = await testRedis(t)
    const secrets = {
      'key-encryption-secret': randomBytes(32).toString('base64url'),
      'admin-registration-code': randomBytes(32).toString('base64url'),
      'redis-url': redis.url,
      'handler-secret': randomBytes(32).toString('base64url'),
    }
    for (const [name, value] of Object.entries(secrets)) {
      writeFileSync(join(dir, name), `${value}\n`)
    }
    const mounted = { '/run/secrets/service': dir }
    const service = { INTERNAL_PORT: '0', SHUTDOWN_DELAY_MS: '0' }

    const auth = await startAuth({
      redisUrl: '',
      prefix: redis.prefix,
      program: bundleOf('auth'),
      env: {
        ADMIN_REGISTRATION_CODE: '',
        KEY_ENCRYPTION_SECRET: '',
        ...environmentOf(findWorkload(objects, 'Deployment', 'shop-auth'), mounted),
        ...service,
        REVOCATION_REPLICAS: '0',
      },
    })
    t.teardown(() => auth.stop())

    const account = join(dir, 'account')
    mkdirSync(account)
    writeFileSync(join(account, 'namespace'), 'prod')
    writeFileSync(join(account, 'token'), 'account-token')
    const kubernetes = await startKubernetes(t, {
      path: '/api/v1/namespaces/prod/secrets/shop-realtime-identity',
      token: 'account-token',
    })
    const job = findWorkload(objects, 'Job', 'shop-register-identity')
    t.same(job.spec.template.spec.containers[0]?.args, ['register-identity.mjs'])
    const register = () =>
      run(process.execPath, [program], {
        env: {
          ...environmentOf(job, { ...mounted, 'http://shop-auth:4000': auth.url }),
          NODE_EXTRA_CA_CERTS: '',
          KUBERNETES_URL: kubernetes.url,
          SERVICE_ACCOUNT: account,
        },
      })
    t.equal((await register()).stdout, 'realtime is registered\n')
    const code = kubernetes.value('registration-code')
    await register()
    t.equal(kubernetes.value('registration-code'), code, 'a second run keeps a code that works')
    t.equal(kubernetes.patches(), 1)

    writeFileSync(join(dir, 'registration-code'), code)
    const realtime = await startRealtime({
      redisUrl: '',
      prefix: `${redis.prefix}-nodes`,
      authUrl: auth.url,
      credentials: { identity: '', registrationCode: '' },
      program: bundleOf('realtime'),
      env: {
        ...environmentOf(findWorkload(objects, 'Deployment', 'shop-realtime'), {
          ...mounted,
          '/run/secrets/identity': dir,
          'http://shop-auth:4000': auth.url,
        }),
        ...service,
        REDIS_PREFIX: `${redis.prefix}-nodes`,
      },
    })
    t.teardown(() => realtime.stop())
    const admin = { identity: 'admin', registrationCode: secrets['admin-registration-code'] }
    const answer = await fetch(`${auth.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: admin.identity,
        client_secret: admin.registrationCode,
      }),
    })
    const { access_token: token } = await answer.json()
    const nodes = await fetch(`${auth.url}/v1/nodes`, {
      headers: { authorization: `Bearer ${token}` },
    })
    t.match(JSON.stringify(await nodes.json()), /"identity":"realtime"/)

    const scaler = objects.find((object): object is Static<typeof autoscaler> =>
      Value.Check(autoscaler, object),
    )
    const metrics = await (await fetch(`${realtime.url}/metrics`)).text()
    for (const { pods } of scaler?.spec.metrics ?? []) {
      t.match(metrics, new RegExp(`^${pods.metric.name} 0$`, 'm'), 'the metric of the autoscaler')
    }
    t.equal(scaler?.spec.metrics.length, 1)
  },
)
