import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { chart, example, findWorkload, kubernetesVersion, parse, render } from './render.js'
import { skipWithout, tools } from './tools.js'

const skip = skipWithout('helm')

/** Values that the chart refuses, and what it says. */
const refused: readonly [values: string, message: RegExp][] = [
  ['auth.issuer=', /auth\.issuer is required: the URL of auth as clients know it/],
  ['auth.issuer=rt.example.com', /auth\.issuer must be an http: or https: URL without a query/],
  ['auth.existingSecret=', /auth\.existingSecret is required: the name of a Secret with/],
  ['realtime.existingSecret=', /realtime\.existingSecret is required: the name of a Secret/],
  ['auth.secretKeys.KEY_ENCRYPTION_SECRET=null', /KEY_ENCRYPTION_SECRET is required: the key of/],
  ['realtime.secretKeys.REDIS_URL=null', /realtime\.secretKeys\.REDIS_URL is required: the key/],
  ['realtime.existingSecret=portcullis-auth', /auth and realtime must not share one redis-url/],
  ['registration.job=false', /registration\.existingSecret is required without registration\.job/],
  ['registration.existingSecret=own', /registration\.existingSecret must be empty with/],
  ['realtime.autoscaling.maxReplicas=2', /minReplicas must be at most maxReplicas/],
  ['auth.image.digest=latest', /auth\.image\.digest must be sha256: and 64 hexadecimal digits/],
  ['ingress.host=', /ingress\.host is required: the public name of auth and the nodes/],
  ['networkPolicy.metricsFrom=null', /networkPolicy\.metricsFrom is required with serviceMonitor/],
  ['auth.replicas=two', /at '\/auth\/replicas': got string, want integer/],
  ['auth.settings.LEASE_MSS=1000', /at '\/auth\/settings': additional properties 'LEASE_MSS'/],
  ['auth.settings.LEASE_MS=3', /at '\/auth\/settings\/LEASE_MS': minimum: got 3, want 500/],
  ['auth.settings.KEY_ENCRYPTION_SECRET=x', /additional properties 'KEY_ENCRYPTION_SECRET'/],
  ['realtime.settings.ADMISSION=never', /ADMISSION': value must be one of 'upgrade', 'connect'/],
  ['realtime.readinessPath=/live', /readinessPath': value must be one of '\/ready', '\/health'/],
  ['realtimes.replicas=2', /additional properties 'realtimes' not allowed/],
]

t.test('helm finds no fault in the chart', { skip }, async (t) => {
  const args = ['lint', '--strict', chart, '--kube-version', kubernetesVersion]
  await t.resolves(promisify(execFile)(tools.helm ?? '', [...args, ...example('production')]))
})

t.test('each wrong value is refused with a message that names it', { skip }, async (t) => {
  for (const [values, message] of refused) {
    await t.rejects(render([...example('production'), '--set', values]), { message }, values)
  }
})

t.test('all problems are reported at once', { skip }, async (t) => {
  const { message = '' } = await render([]).then(
    () => new Error('the values were accepted'),
    (error: Error) => error,
  )
  for (const value of ['auth.issuer', 'auth.existingSecret', 'realtime.existingSecret']) {
    t.match(message, `${value} is required`)
  }
})

t.test('a pod may take as long to stop as its service', { skip }, async (t) => {
  const times = 'shutdownDelayMs=7000,realtime.closeDeadlineMs=60500'
  const objects = parse(await render([...example('production'), '--set', `realtime.${times}`]))
  const { spec } = findWorkload(objects, 'Deployment', 'shop-realtime').spec.template
  const env = new Map(spec.containers[0]?.env.map(({ name, value }) => [name, value]))
  t.equal(env.get('SHUTDOWN_DELAY_MS'), '7000')
  t.equal(env.get('CLOSE_DEADLINE_MS'), '60500')
  t.equal(spec.terminationGracePeriodSeconds, 68 + 5)
})

t.test('large numbers, booleans and JSON reach the service unchanged', { skip }, async (t) => {
  const settings = {
    MAX_CONNECTIONS: '2000000',
    TOKEN_IN_QUERY: 'true',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [
    // As from a file of values.
    '--set-json',
    `realtime.settings.${name}=${value}`,
  ])
  const objects = parse(await render([...example('production'), ...args]))
  const [container] = findWorkload(objects, 'Deployment', 'shop-realtime').spec.template.spec
    .containers
  const valueIn = (name: string) => container?.env.find((each) => each.name === name)?.value
  for (const [name, value] of Object.entries(settings)) {
    t.equal(valueIn(name), value)
  }
  t.match(JSON.parse(valueIn('NAMESPACES') ?? ''), { chat: { historySize: 100 } })
})

t.test('an image has a registry, and its digest decides', { skip }, async (t) => {
  const digest = `sha256:${'0a'.repeat(32)}`
  const objects = parse(
    await render([...example('production'), '--set', `realtime.image.digest=${digest}`]),
  )
  const imageOf = (name: string) =>
    findWorkload(objects, 'Deployment', name).spec.template.spec.containers[0]?.image
  t.equal(imageOf('shop-auth'), 'registry.example.com/team/portcullis/auth:0.1.0')
  t.equal(imageOf('shop-realtime'), `registry.example.com/team/portcullis/realtime@${digest}`)
})
