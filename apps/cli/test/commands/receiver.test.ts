import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { installation } from '../fixtures/installation.js'
import { run } from '../fixtures/run.js'

const id = 'e4GlZS81pygFIm7gjvHMew'
const path = `/v1/event-receivers/${id}`
const header = 'Bearer a-secret-of-the-receiver'
const pushed = {
  id,
  iss: 'http://127.0.0.1:4000',
  aud: 'https://shop.example/events',
  status: 'enabled',
  delivery: {
    method: 'urn:ietf:rfc:8935',
    endpoint_url: 'https://shop.example/events',
    authorized: true,
  },
  createdAt: 1_700_000_000_000,
  progress: {
    pending: 2,
    oldestAt: Date.now() - 217_800_000,
    delivered: 40,
    refused: 0,
    expired: 1,
    dropped: 3,
    lost: 0,
    lastDeliveredAt: Date.now() - 217_800_000,
    lastFailure: { at: Date.now() - 217_800_000, error: 'HTTP 503' },
  },
}
const polled = {
  ...pushed,
  aud: ['https://shop.example/events', 'shop'],
  status: 'paused',
  delivery: { method: 'urn:ietf:rfc:8936', endpoint_url: `http://127.0.0.1:4000${path}/poll` },
  identities: ['shop'],
  identity: 'shop',
  description: 'the shop',
  progress: { pending: 0, delivered: 0, refused: 0, expired: 0, dropped: 0, lost: 0 },
}
const quiet = { NO_COLOR: '1' }

function scripted(t: Test) {
  return installation(t, {
    routes: {
      'POST /v1/event-receivers': { status: 201, body: pushed },
      'GET /v1/event-receivers': { body: { receivers: [pushed, polled] } },
      [`GET ${path}`]: { body: polled },
      [`PATCH ${path}`]: { body: polled },
      [`POST ${path}/verify`]: { status: 204 },
      [`DELETE ${path}`]: { status: 204 },
    },
  })
}

t.test('add sends the delivery and the selected identities', async (t) => {
  const { cwd, asked } = await scripted(t)
  writeFileSync(join(cwd, 'header'), `${header}\n`)
  const url = 'https://shop.example/events'
  const push = { method: 'urn:ietf:rfc:8935', endpoint_url: url }
  const cases: [string[], object][] = [
    [['--push', url], { aud: 'a', delivery: push }],
    [
      ['--push', url, '--authorization-file', 'header', '--aud', 'b', '--description', 'the shop'],
      {
        aud: ['a', 'b'],
        delivery: { ...push, authorization_header: header },
        description: 'the shop',
      },
    ],
    [
      ['--poll', '--as', 'shop', '--identity', 'shop', '--identity', 'shop/eu'],
      {
        aud: 'a',
        delivery: { method: 'urn:ietf:rfc:8936' },
        identities: ['shop', 'shop/eu'],
        identity: 'shop',
      },
    ],
  ]
  for (const [args, body] of cases) {
    const outcome = await run(['receiver', 'add', '--aud', 'a', ...args], { cwd })
    t.equal(outcome.code, 0, outcome.stderr)
    t.match(outcome.stdout, new RegExp(`^id +${id}\n`))
    t.same(JSON.parse(asked.at(-1)?.body ?? ''), body)
  }
})

t.test('the Authorization header is never an argument and never shown', async (t) => {
  const { cwd, asked } = await scripted(t)
  const add = ['receiver', 'add', '--aud', 'a', '--push', 'https://shop.example/events']
  const sent = () => JSON.parse(asked.at(-1)?.body ?? '').delivery.authorization_header
  const piped = await run([...add, '--authorization-file', '-'], { cwd, stdin: `${header}\n` })
  t.equal(piped.code, 0, piped.stderr)
  t.equal(sent(), header)
  const typed = await run([...add, '--ask-authorization'], { cwd, typed: `${header}\n` })
  t.equal(typed.code, 0, typed.stderr)
  t.equal(sent(), header)
  t.match(typed.stderr, /Authorization header/)
  t.notMatch(typed.stderr + typed.stdout, header)

  const before = asked.length
  const wrong: [string[], object, number, RegExp][] = [
    [
      ['--ask-authorization'],
      {},
      2,
      /--ask-authorization needs a terminal; use --authorization-file/,
    ],
    [['--ask-authorization'], { typed: 'caf\u00e9\n' }, 1, /the typed text is not the value/],
    [['--authorization-file', '-'], { stdin: 'two\nlines' }, 1, /must hold the value of an/],
    [['--authorization-file', 'none'], {}, 1, /cannot read none \(ENOENT\)/],
    [['--authorization', header], {}, 2, /Use .* --authorization-file for an Authorization header/],
    [
      [`--authorization=${header}`],
      {},
      2,
      /Use .* --authorization-file for an Authorization header/,
    ],
  ]
  for (const [args, more, code, stderr] of wrong) {
    const outcome = await run([...add, ...args], { cwd, ...more })
    t.equal(outcome.code, code, args.join(' '))
    t.match(outcome.stderr, stderr)
    t.notMatch(outcome.stderr, header)
  }
  t.equal(asked.length, before, 'nothing was sent')
})

t.test('list and show print the progress of deliveries', async (t) => {
  const { cwd } = await scripted(t)
  const list = await run(['receiver', 'list'], { cwd, env: quiet })
  t.match(list.stdout, /enabled +push https:\S+ +2 +2d 12h ago +40 +1 expired, 3 dropped\n/)
  t.match(list.stdout, /paused +poll as shop +0 +0 *\n/)
  const shown = await run(['receiver', 'show', id], { cwd, env: quiet })
  t.match(shown.stdout, /poll at +http\S+poll\naudience +https\S+ shop\nhears of +shop\n/)
  const json = await run(['receiver', 'show', id, '--json'], { cwd })
  t.same(JSON.parse(json.stdout), polled)
  const added = await run(
    ['receiver', 'add', '--aud', 'a', '--push', 'https://shop.example/events'],
    { cwd, env: quiet },
  )
  t.match(added.stdout, /delivery +push \S+, with an Authorization header\n/)
  t.match(added.stdout, /hears of +every identity\n/)
  t.match(added.stdout, /delivered +40, the last 2d 12h ago\n/)
  t.match(added.stdout, /last failure +HTTP 503, 2d 12h ago\n/)
})

t.test('change, pause and resume send only the given settings', async (t) => {
  const { cwd, asked } = await scripted(t)
  const cases: [string[], object][] = [
    [['pause', id], { status: 'paused' }],
    [['resume', id], { status: 'enabled' }],
    [['change', id, '--poll'], { delivery: { method: 'urn:ietf:rfc:8936' } }],
    [['change', id, '--identity', 'shop'], { identities: ['shop'] }],
    [['change', id, '--every-identity'], { identities: null }],
    [['change', id, '--description', 'x'], { description: 'x' }],
    [['change', id, '--no-description'], { description: null }],
  ]
  for (const [args, body] of cases) {
    const outcome = await run(['receiver', ...args], { cwd })
    t.equal(outcome.code, 0, outcome.stderr)
    t.equal(asked.at(-1)?.route, `PATCH ${path}`)
    t.same(JSON.parse(asked.at(-1)?.body ?? ''), body)
  }
  const before = asked.length
  const wrong: [string[], RegExp][] = [
    [['change', id], /nothing to change/],
    [['change', id, '--identity', 'x', '--every-identity'], /cannot be used with/],
    [['change', id, '--authorization-file', '-'], /needs --push <url>/],
    [['add', '--aud', 'a'], /--push <url> or --poll/],
    [['add', '--aud', 'a', '--poll'], /--poll needs --as/],
    [['add', '--aud', 'a', '--push', 'https://x', '--poll'], /cannot be used with/],
  ]
  for (const [args, stderr] of wrong) {
    const outcome = await run(['receiver', ...args], { cwd })
    t.equal(outcome.code, 2, args.join(' '))
    t.match(outcome.stderr, stderr)
  }
  t.equal(asked.length, before, 'nothing was sent')
})

t.test('verify queues an event; delete shows the receiver and asks', async (t) => {
  const { cwd, asked } = await scripted(t)
  const verified = await run(['receiver', 'verify', id, '--state', 'hello'], { cwd })
  t.match(verified.stdout, /^queued; `receiver show /)
  t.same(JSON.parse(asked.at(-1)?.body ?? ''), { state: 'hello' })

  const deleted = () => asked.some(({ route }) => route.startsWith('DELETE'))
  const unasked = await run(['receiver', 'delete', id], { cwd })
  t.equal(unasked.code, 2)
  t.match(unasked.stderr, /its queued events, .*; add --yes/)
  const no = await run(['receiver', 'delete', id], { cwd, typed: '\n', env: quiet })
  t.equal(no.code, 1)
  t.match(
    no.stderr,
    /queued +0\n[\s\S]*Delete this receiver\? It will get no more revocations\. \[y\/N\]/,
  )
  t.notOk(deleted())
  const yes = await run(['receiver', 'delete', id, '--yes'], { cwd })
  t.equal(yes.stdout, `deleted ${id}\n`)
  t.ok(deleted())
})
