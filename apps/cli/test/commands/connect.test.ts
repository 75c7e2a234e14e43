import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installation } from '../fixtures/installation.js'
import { run } from '../fixtures/run.js'

const tokenAnswer = (token: string) => ({
  status: 201,
  body: {
    access_token: token,
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'subscribe:demo:*',
    jti: '0-abcdefghijklmnopqrstuv',
  },
})

function publication(channel: string, data: unknown): string {
  return JSON.stringify({ push: { channel, pub: { data } } })
}

t.test(
  'prints publications until the server closes, then code, reason and exit code 3',
  async (t) => {
    const { cwd, tokens } = await installation(t, {
      onSubscribe: (socket, channel) => {
        socket.send(publication(channel, { text: 'hello\u009b2J' }))
        socket.close(4500, 'token revoked')
      },
    })
    writeFileSync(join(cwd, 'ada.token'), 'a.b.c\n')
    const args = ['connect', 'demo:hello', '--token-file', 'ada.token']
    const { code, stdout, stderr } = await run(args, { cwd })
    t.equal(code, 3)
    t.match(stdout, /^\d\d:\d\d:\d\d\.\d{3} {2}demo:hello {2}\{"text":"hello\\u009b2J"\}\n$/)
    t.match(
      stderr,
      /connected to ws:.*\nsubscribed to demo:hello\nportcullis: closed 4500 token revoked\n$/,
    )
    t.same(tokens, ['a.b.c'], 'the client did not reconnect')
  },
)

t.test('--json prints one event on each line', async (t) => {
  const { cwd } = await installation(t, {
    onSubscribe: (socket, channel) => {
      socket.send(publication(channel, [1]))
      socket.close(4500, 'token revoked')
    },
  })
  const { stdout } = await run(['connect', 'demo:x', '--json'], { cwd })
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(events, [
    { event: 'connected', client: 'c1' },
    { event: 'subscribed', channel: 'demo:x' },
    { event: 'publication', channel: 'demo:x', data: [1] },
    { event: 'closed', code: 4500, reason: 'token revoked' },
  ])
})

t.test('Ctrl-C has exit code 0', async (t) => {
  const stop = new AbortController()
  const { cwd, tokens } = await installation(t, { onSubscribe: () => stop.abort() })
  const { code, stderr } = await run(['connect', 'demo:x'], { cwd, stop: stop.signal })
  t.equal(code, 0, stderr)
  t.same(tokens, ['access-token-of-admin'], 'without options it connects as the caller')
})

t.test('--subject issues a token with scope and labels', async (t) => {
  const { cwd, tokens, asked } = await installation(t, {
    routes: { 'POST /v1/tokens': tokenAnswer('for.ada.1') },
    onSubscribe: (socket) => socket.close(4500, 'token revoked'),
  })
  const args = [
    'connect',
    'demo:x',
    '--subject',
    'ada',
    '--scope',
    'subscribe:demo:x',
    '--label',
    'l',
  ]
  const { code } = await run(args, { cwd })
  t.equal(code, 3)
  t.same(tokens, ['for.ada.1'])
  t.equal(asked[1]?.headers.authorization, 'Bearer access-token-of-admin')
  const body = { subject: 'ada', scope: 'subscribe:demo:x', labels: ['l'] }
  t.same(JSON.parse(asked[1]?.body ?? ''), body)
})

t.test('--node chooses a configured node', async (t) => {
  const { cwd } = await installation(t, {
    onSubscribe: (socket) => socket.close(4500, 'token revoked'),
  })
  t.equal((await run(['connect', 'demo:x', '--node', '1'], { cwd })).code, 3)
  const none = await run(['connect', 'demo:x', '--node', '2'], { cwd })
  t.equal(none.code, 2)
  t.match(none.stderr, '--node 2 does not exist; use 0 to 1')
})

t.test('a refused upgrade is reported at once, with exit code 3', async (t) => {
  for (const [status, message] of [
    [401, /refused 401: the token is revoked, expired/],
    [403, /refused 403: the token does not permit/],
  ] as const) {
    const { cwd, tokens } = await installation(t, { refuse: () => status })
    const { code, stderr } = await run(['connect', 'demo:x'], { cwd })
    t.equal(code, 3)
    t.match(stderr, message)
    t.equal(tokens.length, 1)
  }
})

t.test('a refused subscription has exit code 3', async (t) => {
  const { cwd } = await installation(t, {
    subscribeError: { code: 103, message: 'permission denied' },
  })
  const { code, stderr } = await run(['connect', 'demo:x'], { cwd })
  t.equal(code, 3)
  t.match(stderr, 'portcullis: cannot subscribe to demo:x: 103 permission denied\n')
})

t.test('an unreachable or busy node has exit code 1 and is named', async (t) => {
  const busy = await installation(t, { refuse: () => 503 })
  const unavailable = await run(['connect', 'demo:x'], { cwd: busy.cwd })
  t.equal(unavailable.code, 1)
  t.match(unavailable.stderr, /answered HTTP 503; it accepts no connections now/)
  const nowhere = await run(['connect', 'demo:x', '--url', 'ws://127.0.0.1:1'], { cwd: busy.cwd })
  t.equal(nowhere.code, 1)
  t.match(nowhere.stderr, /cannot connect to ws:\/\/127\.0\.0\.1:1\/.*; start a realtime node/)
})

t.test('reconnects after an interruption', async (t) => {
  let subscriptions = 0
  const { cwd } = await installation(t, {
    onSubscribe: (socket) => {
      subscriptions += 1
      if (subscriptions === 1) {
        socket.terminate()
      } else {
        socket.close(4500, 'token revoked')
      }
    },
  })
  const { code, stderr } = await run(['connect', 'demo:x'], { cwd })
  t.equal(code, 3)
  t.match(stderr, /connection lost \(1 transport closed\); reconnecting/)
})

t.test('reports a fixed token that was refused at a reconnect, with exit code 3', async (t) => {
  let dials = 0
  const { cwd } = await installation(t, {
    refuse: () => (++dials === 1 ? undefined : 401),
    onSubscribe: (socket) => socket.terminate(),
  })
  writeFileSync(join(cwd, 'ada.token'), 'a.b.c\n')
  const { code, stderr } = await run(['connect', 'x', '--token-file', 'ada.token'], { cwd })
  t.equal(code, 3)
  t.match(
    stderr,
    /no token: the token was refused or has expired, and this source has no other token\n$/,
  )
  t.equal(dials, 2)
})

t.test('rejects contradicting options', async (t) => {
  const { cwd } = await installation(t, {})
  for (const args of [
    ['connect'],
    ['connect', 'x', '--token-file', 'a', '--subject', 'b'],
    ['connect', 'x', '--token-file', 'a', '--scope', 'b'],
    ['connect', 'x', '--node', '0', '--url', 'ws://127.0.0.1:1'],
    ['connect', 'x', '--url', 'nonsense'],
  ]) {
    t.equal((await run(args, { cwd })).code, 2, args.join(' '))
  }
})
