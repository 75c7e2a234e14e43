import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { findProgram } from '../find-program.js'
import { startPrometheus } from './start-prometheus.js'

const root = new URL('../../../', import.meta.url)
const read = (file: string) => readFile(new URL(file, root), 'utf8')
const run = promisify(execFile)

const promtool = findProgram('promtool')
const prometheus = findProgram('prometheus')

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[]
}

interface Rules {
  groups: { rules: { name: string; query: string; health: string; lastError?: string }[] }[]
}

t.test('every alert has a runbook, and a test that it fires and that it does not', async (t) => {
  const names = [...(await read('infra/prometheus/rules.yml')).matchAll(/- alert: (\w+)/g)].map(
    ([, name = '']) => name,
  )
  t.ok(names.length > 15)
  const [rules, tests, runbooks] = await Promise.all([
    read('infra/prometheus/rules.yml'),
    read('infra/prometheus/rules.test.yml'),
    read('docs/runbooks.md'),
  ])
  for (const name of names) {
    t.match(rules, `/docs/runbooks.md#${name.toLowerCase()}\n`, name)
    t.match(runbooks, `\n## ${name}\n`)
    t.match(tests, `name: ${name} fires\n`)
    t.match(tests, `name: ${name} does not fire\n`)
  }
  t.equal(runbooks.match(/^## /gm)?.length, names.length, 'no runbook without an alert')
})

t.test(
  'promtool accepts the rules and the example, and alerts fire when they should',
  { skip: promtool === undefined ? 'promtool is not installed' : false },
  async (t) => {
    const cwd = new URL('infra/prometheus/', root)
    for (const args of [
      ['check', 'config', 'prometheus.yml'],
      ['check', 'rules', 'rules.yml'],
      ['test', 'rules', 'rules.test.yml'],
    ]) {
      await t.resolves(run(promtool ?? '', args, { cwd }), args.join(' '))
    }
  },
)

t.test(
  'the queries of the dashboard and of the rules find their metrics in a real installation',
  { skip: prometheus === undefined ? 'Prometheus is not installed' : false },
  async (t) => {
    const { auth, realtime, api, userToken } = await startInstallation(t, { realtime: 2 })
    const { access_token: token } = await userToken('ada', 'subscribe:demo:*')
    await api('POST', '/v1/revocations', { token, wait: 5000 })
    const server = await startPrometheus(t, {
      path: prometheus ?? '',
      targets: {
        'portcullis-auth': [new URL(auth.url).host],
        'portcullis-realtime': realtime.map(({ url }) => new URL(url).host),
      },
    })
    await server.settled()

    const { panels } = JSON.parse(await read('infra/grafana/portcullis.json')) as Dashboard
    const shown = panels.flatMap(({ targets }) =>
      targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m')),
    )
    const { groups } = (await server.get('rules')) as Rules
    const rules = groups.flatMap((group) => group.rules)
    for (const { name, health, lastError } of rules) {
      t.equal(health, 'ok', `${name} ${lastError ?? ''}`)
    }
    const known = new Set([
      ...((await server.get('label/__name__/values')) as string[]),
      ...rules.map(({ name }) => name),
      ...(await documentedSeries()),
    ])
    for (const query of [...shown, ...rules.map((rule) => rule.query)]) {
      await t.resolves(server.get('query', { query }), query)
      for (const [name] of query.matchAll(/\b(?:portcullis|nodejs|process)[_:][a-z0-9_:]+/g)) {
        t.ok(known.has(name), `${name} of: ${query}`)
      }
    }
    const scraped = (await server.get('label/__name__/values')) as string[]
    const documented = await documentedSeries()
    for (const name of scraped.filter((each) => each.startsWith('portcullis_'))) {
      t.ok(documented.has(name), `docs/metrics.md has ${name}`)
    }
  },
)

/** Returns the names of all series that docs/metrics.md describes, also of those without a value yet. */
async function documentedSeries(): Promise<Set<string>> {
  const rows = (await read('docs/metrics.md')).matchAll(/^\| `(portcullis_\w+)` \| (\w+) \|/gm)
  return new Set(
    [...rows].flatMap(([, name = '', type]) =>
      type === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name],
    ),
  )
}
