import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { example, helm, render } from './render.js'
import { writeSchemas } from './write-schemas.js'

/** `KUBECONFORM` names the program, `KUBERNETES_OPENAPI` the OpenAPI 2 document of Kubernetes. */
const { KUBECONFORM: program = '', KUBERNETES_OPENAPI: openapi = '' } = process.env
const skip =
  helm === undefined || program === '' || openapi === ''
    ? 'HELM, KUBECONFORM and KUBERNETES_OPENAPI are not all set'
    : false

const schemas = mkdtempSync(join(tmpdir(), 'portcullis-schemas-'))
t.teardown(() => rmSync(schemas, { recursive: true, force: true }))
if (skip === false) {
  writeSchemas(openapi, schemas)
}

/** Checks manifests. ServiceMonitor is no kind of Kubernetes itself. */
async function validate(manifests: string): Promise<{ code: number; output: string }> {
  const child = spawn(program, [
    '-strict',
    '-summary',
    '-skip',
    'ServiceMonitor',
    '-schema-location',
    join(schemas, '{{.ResourceKind}}{{.KindSuffix}}.json'),
  ])
  child.stdin.end(manifests)
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code, output: `${output}${errors}` }
}

const everything = [
  ...['--set', 'auth.nodeSelector.pool=auth', '--set', 'realtime.podAnnotations.team=chat'],
  ...['--set-json', 'realtime.tolerations=[{"key":"realtime","operator":"Exists"}]'],
  ...['--set-json', 'realtime.sysctls=[{"name":"net.ipv4.tcp_notsent_lowat","value":"16384"}]'],
  ...['--set-json', 'networkPolicy.authFrom=[{"podSelector":{}}]'],
  ...['--set-json', 'networkPolicy.authEgress=[{"ports":[{"port":53,"protocol":"UDP"}]}]'],
  ...['--set-json', 'image.pullSecrets=["registry"]'],
]
const installations = {
  trial: example('trial'),
  'trial without volumes': [...example('trial'), '--set', 'redis.trial.storage='],
  production: example('production'),
  'production with every option': [...example('production'), ...everything],
}

for (const [name, args] of Object.entries(installations)) {
  t.test(`Kubernetes knows every field of the chart: ${name}`, { skip }, async (t) => {
    const { code, output } = await validate(await render(args))
    t.equal(code, 0, output)
    t.match(output, /Valid: [1-9]\d*, Invalid: 0, Errors: 0/)
  })
}

t.test('a field that Kubernetes does not know is noticed', { skip }, async (t) => {
  const manifests = await render(example('trial'))
  const { code, output } = await validate(manifests.replace('minReadySeconds', 'minReadySecond'))
  t.equal(code, 1)
  t.match(output, /minReadySecond/)
})
