import Fastify from 'fastify'
import t from 'tap'
import { loggerOptions } from '../src/logger.js'

/** Returns an app and its log lines. */
function logging() {
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) }
  return { lines, app: Fastify({ logger: { ...loggerOptions('test', 'trace'), stream } }) }
}

t.test('logs the route of a request, never its path, query or headers', async (t) => {
  const { app, lines } = logging()
  app.get('/things/:id', async () => 'ok')
  const headers = { authorization: 'Bearer secret-3', cookie: 'secret-4' }
  await app.inject({ url: '/things/secret-1?token=secret-2', headers })
  await app.inject({ url: '/secret-5', headers })
  await app.close()
  const text = lines.join('')
  t.match(text, '"route":"/things/:id"')
  t.match(text, '"from":"127.0.0.1"')
  t.notMatch(text, 'secret-1')
  for (const secret of ['secret-2', 'secret-3', 'secret-4']) {
    t.notMatch(text, secret)
  }
})

t.test('logs an error with its cause, and without its other properties', async (t) => {
  const { app, lines } = logging()
  const cause = Object.assign(new Error('inner'), { command: { args: ['secret-1'] } })
  const err = Object.assign(new Error('outer', { cause }), { code: 'E1', body: 'secret-2' })
  app.log.error({ err }, 'failed')
  app.log.error({ err: 'secret-3' }, 'not an error')
  const [line = '{}'] = lines
  t.match(JSON.parse(line), {
    err: { type: 'Error', code: 'E1', message: 'outer', cause: { message: 'inner' } },
  })
  t.notMatch(lines.join(''), 'secret')
})

t.test('redacts secrets one level down', async (t) => {
  const { app, lines } = logging()
  for (const name of [
    'authorization',
    'token',
    'access_token',
    'client_secret',
    'registrationCode',
  ]) {
    app.log.info({ thing: { [name]: 'secret' } })
  }
  t.equal(lines.length, 5)
  t.notMatch(lines.join(''), '"secret"')
})
