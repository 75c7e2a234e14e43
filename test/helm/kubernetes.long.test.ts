import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { example, render } from './render.js'
import { skipWithout, tools } from './tools.js'
import { writeSchemas, writeSchemasOf } from './write-schemas.js'

const skip = skipWithout('helm', 'kubeconform', 'openapi', 'serviceMonitors')

const schemas = mkdtempSync(join(tmpdir(), 'portcullis-schemas-'))
t.teardown(() => rmSync(schemas, { recursive: true, force: true }))
if (skip === false) {
  writeSchemas(tools.openapi ?? '', schemas)
  writeSchemasOf(tools.serviceMonitors ?? '', schemas)
}

/** Checks manifests. */
async function validate(manifests: string): Promise<{ code: number; output: string }> {
  const child = spawn(tools.kubeconform ?? '', [
    '-strict',
    '-summary',
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
    t.match(output, /Valid: [1-9]\d*, Invalid: 0, Errors: 0, Skipped: 0/)
  })
}

t.test('a field that Kubernetes does not know is noticed', { skip }, async (t) => {
  const manifests = await render(example('trial'))
  const { code, output } = await validate(manifests.replace('minReadySeconds', 'minReadySecond'))
  t.equal(code, 1)
  t.match(output, /minReadySecond/)
})
