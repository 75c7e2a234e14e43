import t from 'tap'
import { installation } from '../fixtures/installation.js'
import { run } from '../fixtures/run.js'

const jti = '0-abcdefghijklmnopqrstuv'
const page = {
  tokens: [
    {
      jti,
      identity: 'shop',
      subject: 'ada',
      labels: [],
      connections: 3,
      since: Date.now() - 217_800_000,
      nodes: [
        { node: 'one', connections: 1 },
        { node: 'two', connections: 2 },
      ],
    },
    { jti: jti.replace('0', '1'), connections: 1, since: Date.now(), nodes: [] },
  ],
  connections: 4,
  complete: true,
  nodes: [
    { node: 'one', state: 'answered', connections: 2 },
    { node: 'two', state: 'answered', connections: 2 },
  ],
}

t.test('tokens, and what stands on them', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: { 'GET /v1/connections': { body: page } },
  })
  const { code, stdout, stderr } = await run(['connections'], { cwd })
  t.equal(code, 0, stderr)
  t.match(stdout, /^4 connections on 2 nodes\n/)
  t.match(stdout, new RegExp(`${jti} +shop +ada +3 +2d 12h ago +one two\n`))
  t.match(stdout, /1-\S+ +\(gone\) +1 /, 'one that the registry does not know')
  const cases: [string[], string][] = [
    [[], 'wait=1000&limit=100'],
    [['--identity', 'shop', '--wait', '9'], 'identity=shop&wait=9&limit=100'],
    [['--subject', 'ada'], 'identity=admin&subject=ada&wait=1000&limit=100'],
    [['--label', 'l', '--identity', 'b'], 'identity=b&label=l&wait=1000&limit=100'],
    [['--jti', jti], `token=${jti}&wait=1000&limit=100`],
  ]
  for (const [args, query] of cases) {
    const json = await run(['connections', '--json', ...args], { cwd })
    t.same(JSON.parse(json.stdout), { ...page, more: false })
    t.equal(asked.at(-1)?.route, `GET /v1/connections?${query}`)
  }
  for (const args of [
    ['--subject', 'a', '--label', 'l'],
    ['--jti', jti, '--identity', 'b'],
  ])
    t.equal((await run(['connections', ...args], { cwd })).code, 2)
})

t.test('a node that has not answered is named, with exit code 1', async (t) => {
  const nodes = [page.nodes[0], { node: 'two', state: 'silent' }, { node: 'old', state: 'unable' }]
  const body = { ...page, complete: false, nodes }
  const { cwd } = await installation(t, { routes: { 'GET /v1/connections': { body } } })
  const { code, stdout, stderr } = await run(['connections'], { cwd })
  t.equal(code, 1)
  t.match(stdout, /^4 connections on 1 node\n/, 'what is known is shown')
  t.equal(stderr, 'portcullis: not every node has answered: two (silent), old (unable)\n')
})
