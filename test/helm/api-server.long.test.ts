import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startAuth, testRedis } from '@portcullis/local'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { findProgram } from '../interop/find-program.js'
import { example, helm, parse, render } from './render.js'
import { type KubernetesObject, kubernetesObject, startKubernetes } from './start-kubernetes.js'

/** `KUBE_APISERVER` names the program. */
const { KUBE_APISERVER: apiServer = '' } = process.env
const etcd = findProgram('etcd') ?? ''
const skip =
  helm === undefined || apiServer === '' || etcd === ''
    ? 'HELM and KUBE_APISERVER are not both set, or etcd is not installed'
    : false
const program = fileURLToPath(new URL('../../infra/images/register-identity.js', import.meta.url))

/** Returns the objects of a rendered chart that Kubernetes itself knows. */
const knownObjects = async (args: readonly string[]): Promise<KubernetesObject[]> =>
  parse(await render(args)).filter(
    (object): object is KubernetesObject =>
      Value.Check(kubernetesObject, object) && object.kind !== 'ServiceMonitor',
  )

t.test(
  'an API server takes each object of the chart, and knows every field',
  { skip },
  async (t) => {
    const kubernetes = await startKubernetes(t, { apiServer, etcd })
    for (const name of ['trial', 'production'] as const) {
      for (const object of await knownObjects(example(name))) {
        const path = `${await kubernetes.collectionOf(object)}?fieldValidation=Strict&dryRun=All`
        const { status, text } = await kubernetes.call('POST', path, object)
        t.equal(status, 201, `${name} ${object.kind} ${object.metadata.name}: ${text}`)
      }
    }
  },
)

t.test('the Job may keep the registration code, and nothing else', { skip }, async (t) => {
  const kubernetes = await startKubernetes(t, { apiServer, etcd })
  for (const object of await knownObjects(example('production'))) {
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
