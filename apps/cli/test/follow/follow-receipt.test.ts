import t from 'tap'
import { installation } from '../fixtures/installation.js'
import { id, inTurn, receipt } from '../fixtures/receipts.js'
import { run } from '../fixtures/run.js'

const created = (...nodes: string[]) => ({ status: 201, body: receipt(...nodes) })
const read = (...nodes: string[]) => ({ body: receipt(...nodes) })
const path = `GET /v1/revocations/${id}`
const terminal = { columns: 80, rows: 24 }

/** A revocation that two nodes confirm, first one, then two. */
const routes = () => ({
  'POST /v1/revocations': created('one pending', 'two pending'),
  [path]: inTurn(
    read('one acked 1', 'two pending'),
    read('one acked 1', 'two pending'),
    read('one acked 1', 'two fenced'),
  ),
})

t.test('a pipe gets the receipt on stdout and a line for each change on stderr', async (t) => {
  const { cwd, asked } = await installation(t, { routes: routes() })
  const { code, stdout, stderr } = await run(['revoke', '--subject', 'ada'], { cwd })
  t.equal(code, 0)
  t.match(stdout, /^revoked 2 tokens, closed 1 connection complete\n/)
  t.match(stdout, /one +acked +1 +2\.5\ntwo +fenced +0 +9012\.3\n$/)
  t.equal(
    stderr,
    `receipt ${id}: waiting for one, two\n` +
      'one acked after 2.5 ms, closed 1 connection\n' +
      'two fenced after 9012.3 ms: its lease has expired, it delivers nothing\n',
  )
  t.same(
    JSON.parse(asked[1]?.body ?? ''),
    { identity: 'admin', subject: 'ada' },
    'the request does not ask auth to wait',
  )
})

t.test('--json prints only the last receipt', async (t) => {
  const { cwd } = await installation(t, { routes: routes() })
  const { code, stdout, stderr } = await run(['revoke', '--all', '--yes', '--json'], {
    cwd,
    terminal,
  })
  t.equal(code, 0)
  t.same(JSON.parse(stdout), receipt('one acked 1', 'two fenced'))
  t.equal(stderr, '')
})

t.test('a terminal redraws the receipt in place', async (t) => {
  const { cwd } = await installation(t, { routes: routes() })
  const { code, stderr, screens } = await run(['revoke', '--all', '--yes'], { cwd, terminal })
  t.equal(code, 0)
  t.equal(stderr, '')
  const states = screens.map((screen) =>
    [...screen.matchAll(/^(one|two) +(acked|fenced|pending)/gm)].map(([, , state]) => state),
  )
  t.same(
    states.filter((one, index) => `${one}` !== `${states[index - 1]}`),
    [['pending', 'pending'], ['acked', 'pending'], [], ['acked', 'fenced']],
  )
  for (const screen of screens) {
    t.ok(screen.split('\n').length <= 13, 'one receipt at a time')
  }
  t.match(screens[0], /not complete[\s\S]*waiting for one, two; 12\.0 s left\n$/)
  t.match(screens.at(-1), /^revoked 2 tokens, closed 1 connection complete\n/)
  t.notMatch(screens.at(-1), /waiting/)
})

t.test('a receipt larger than the terminal leaves no old lines behind', async (t) => {
  for (const size of [
    { columns: 30, rows: 24 },
    { columns: 80, rows: 6 },
    { columns: 20, rows: 5 },
  ]) {
    const { cwd } = await installation(t, { routes: routes() })
    const { screens } = await run(['revoke', '--all', '--yes'], { cwd, terminal: size })
    for (const screen of screens.slice(0, -1)) {
      t.ok(screen.split('\n').length <= size.rows, 'lines that scroll away could not be erased')
    }
    t.match(screens[0], /\nwaiting for one, t[^\n]*\n$/, 'the last line is always shown')
    t.equal(screens.at(-1)?.match(/revoked 2 tokens/g)?.length, 1, JSON.stringify(size))
    t.match(
      screens.at(-1),
      /one\s+(?:STATE +)?acked[\s\S]*two\s+(?:STATE +)?fenced/,
      'the final receipt is complete',
    )
  }
})

t.test('fenced has another colour than acked and pending', async (t) => {
  const { cwd } = await installation(t, {
    routes: { [path]: read('one acked', 'two fenced', 'three pending') },
  })
  const { stdout } = await run(['revocation', 'show', id], { cwd, env: { FORCE_COLOR: '1' } })
  const [green, cyan, yellow] = ['\u001b[32m', '\u001b[36m', '\u001b[33m']
  t.match(stdout, `${green}acked`)
  t.match(stdout, `${cyan}fenced`)
  t.match(stdout, `${yellow}pending`)
})

t.test('names a pending node, with exit code 1 unless --wait is 0', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: {
      'POST /v1/revocations': created('one acked', 'slow pending'),
      [path]: read('one acked', 'slow pending'),
    },
  })
  for (const size of [undefined, terminal]) {
    const waited = await run(['revoke', '--all', '--yes', '--wait', '60'], {
      cwd,
      ...(size && { terminal: size }),
    })
    t.equal(waited.code, 1)
    t.match(waited.stdout, /not complete/)
    t.match(waited.stderr, /portcullis: revoked, but not yet confirmed by slow\n$/)
  }
  const before = asked.length
  const { code, stderr } = await run(['revoke', '--all', '--yes', '--wait', '0'], { cwd })
  t.equal(code, 0)
  t.equal(stderr, '')
  t.equal(asked.length, before + 2, 'the token and the revocation; the receipt is not read again')
})

t.test('Ctrl-C ends the wait and prints the current receipt', async (t) => {
  const stop = new AbortController()
  const { cwd } = await installation(t, {
    routes: {
      'POST /v1/revocations': created('one pending'),
      [path]: () => {
        stop.abort()
        return read('one pending')
      },
    },
  })
  const args = ['revoke', '--all', '--yes', '--wait', '3600000']
  const { code, stdout, stderr } = await run(args, { cwd, stop: stop.signal })
  t.equal(code, 1)
  t.match(stdout, /one +pending/)
  t.match(stderr, /not yet confirmed by one/)
})

t.test('a failed read is reported once and repeated', async (t) => {
  const away = { status: 503, body: { detail: 'Redis is away' } }
  const answers = () => ({
    'POST /v1/revocations': created('one pending'),
    [path]: inTurn(away, away, read('one acked')),
  })
  const piped = await installation(t, { routes: answers() })
  const { code, stderr } = await run(['revoke', '--all', '--yes'], { cwd: piped.cwd })
  t.equal(code, 0)
  t.equal(stderr.match(/auth: Redis is away/g)?.length, 1)
  const drawn = await installation(t, { routes: answers() })
  const { screens, ...live } = await run(['revoke', '--all', '--yes'], { cwd: drawn.cwd, terminal })
  t.equal(live.code, 0)
  t.ok(screens.some((screen) => /auth: Redis is away; 1\d\.\d s left/.test(screen)))
  t.equal(live.stderr, '')
})

t.test('stops waiting when the caller may not read the receipt', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: {
      'POST /v1/revocations': created('one pending'),
      [path]: { status: 403, body: { detail: 'needs tokens:read' } },
    },
  })
  const { code, stderr } = await run(['revoke', '--all', '--yes'], { cwd })
  t.equal(code, 1)
  t.match(stderr, /auth: needs tokens:read\nportcullis: revoked, but not yet confirmed by one/)
  t.equal(asked.filter(({ route }) => route === path).length, 1)
})

t.test('gets a new token when the revocation covered its own', async (t) => {
  let issued = 0
  const token = () => `token-${issued}`
  const { cwd } = await installation(t, {
    routes: {
      'POST /oauth/token': () => {
        issued += 1
        return {
          body: { access_token: token(), token_type: 'Bearer', expires_in: 300, scope: 'admin' },
        }
      },
      'POST /v1/revocations': created('one pending'),
      [path]: ({ headers }) =>
        headers.authorization === 'Bearer token-1'
          ? { status: 401, body: { detail: 'the token is revoked' } }
          : read('one acked'),
    },
  })
  const { code, stderr } = await run(['revoke', '--all', '--yes'], { cwd })
  t.equal(code, 0, stderr)
  t.equal(issued, 2)
})
