import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startAuth, testRedis } from '@portcullis/local'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import t, { type Test } from 'tap'
import { parse as parseYaml } from 'yaml'
import { findProgram } from '../interop/find-program.js'
import { example, parse, render } from './render.js'
import {
  type Kubernetes,
  type KubernetesObject,
  kubernetesObject,
  startKubernetes,
} from './start-kubernetes.js'
import { skipWithout, tools } from './tools.js'

const etcd = findProgram('etcd') ?? ''
const missing = skipWithout('helm', 'apiServer', 'serviceMonitors')
const skip = missing === false && etcd === '' ? 'etcd is not installed' : missing
const program = fileURLToPath(new URL('../../infra/images/register-identity.js', import.meta.url))

const isObject = (value: unknown): value is KubernetesObject => Value.Check(kubernetesObject, value)

/** Starts an API server that knows the kind ServiceMonitor. */
async function start(t: Test): Promise<Kubernetes> {
  const kubernetes = await startKubernetes(t, { apiServer: tools.apiServer ?? '', etcd })
  const definition: unknown = parseYaml(readFileSync(tools.serviceMonitors ?? '', 'utf8'))
  if (!isObject(definition)) {
    throw new Error('the definition of ServiceMonitor is no object of Kubernetes')
  }
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const { status, text } = await kubernetes.call('POST', path, definition)
  t.equal(status, 201, text)
  while ((await kubernetes.call('GET', '/apis/monitoring.coreos.com/v1')).status !== 200) {
    // The API server begins to serve a new kind a moment later.
  }
  return kubernetes
}

t.test(
  'an API server takes each object of the chart, and knows every field',
  { skip },
  async (t) => {
    const kubernetes = await start(t)
    for (const name of ['trial', 'production'] as const) {
      for (const object of parse(await render(example(name))).filter(isObject)) {
        const path = `${await kubernetes.collectionOf(object)}?fieldValidation=Strict&dryRun=All`
        const { status, text } = await kubernetes.call('POST', path, object)
        t.equal(status, 201, `${name} ${object.kind} ${object.metadata.name}: ${text}`)
      }
    }
  },
)

t.test('the Job may keep the registration code, and nothing else', { skip }, async (t) => {
  const kubernetes = await start(t)
  for (const object of parse(await render(example('production'))).filter(isObject)) {
    const { status, text } = await kubernetes.call(
      'POST',
      await kubernetes.collectionOf(object),
      object,
    )
    t.equal(status, 201, text)
  }
  const accounts = '/api/v1/namespaces/default/serviceaccounts'
  const asked = await kubernetes.call('POST', `${accounts}/shop-register-identity/token`, {})
  const token = Value.Decode(
    Type.Object({ status: Type.Object({ token: Type.String() }) }),
    JSON.parse(asked.text),
  ).status.token

  const redis = await testRedis(t)
  const auth = await startAuth({ redisUrl: redis.url, prefix: redis.prefix })
  t.teardown(() => auth.stop())
  const account = mkdtempSync(join(tmpdir(), 'portcullis-account-'))
  t.teardown(() => rmSync(account, { recursive: true, force: true }))
  const files = { namespace: 'default', token, code: auth.admin.registrationCode }
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(account, name), content)
  }
  await promisify(execFile)(process.execPath, [program], {
    env: {
      AUTH_URL: auth.url,
      ADMIN_REGISTRATION_CODE_FILE: join(account, 'code'),
      CODE_SECRET: 'shop-realtime-identity',
      KUBERNETES_URL: kubernetes.url,
      SERVICE_ACCOUNT: account,
      NODE_EXTRA_CA_CERTS: kubernetes.caFile,
    },
  })
  const secrets = '/api/v1/namespaces/default/secrets'
  const kept = await kubernetes.call('GET', `${secrets}/shop-realtime-identity`)
  t.match(JSON.parse(kept.text), { data: { 'registration-code': /^.{40,}$/ } })

  const other = { metadata: { name: 'other' }, data: { key: 'dmFsdWU=' } }
  t.equal((await kubernetes.call('POST', secrets, other)).status, 201)
  for (const [method, path] of [
    ['GET', secrets],
    ['GET', `${secrets}/other`],
    ['DELETE', `${secrets}/shop-realtime-identity`],
    ['GET', '/api/v1/namespaces/default/pods'],
  ] as const) {
    const { status } = await kubernetes.call(method, path, undefined, token)
    t.equal(status, 403, `${method} ${path}`)
  }
})
