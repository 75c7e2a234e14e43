import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { unboundedParts } from '@portcullis/local'
import t from 'tap'
import { auth } from '../fixtures/auth.js'
import { listen } from '../fixtures/node.js'
import { authWithRoutes } from '../fixtures/routes.js'

const parts = ['body', 'querystring', 'params', 'headers'] as const

t.test('bounds every part of every request', async (t) => {
  const { routes } = await authWithRoutes(t)
  t.ok(routes.length > 20)
  for (const { method, url, schema } of routes) {
    const found = parts.flatMap((part) => {
      const given = schema[part]
      return typeof given !== 'object' || given === null
        ? []
        : unboundedParts(given).map((at) => `${part}${at}`)
    })
    t.same(found, [], `${method} ${url}`)
    if (url.includes(':')) {
      t.ok(schema.params, `${method} ${url} has a schema for its parameters`)
    }
    if (method === 'POST' || method === 'PUT' || method === 'PATCH') {
      t.ok(schema.body, `${method} ${url} has a schema for its body`)
    }
  }
})

t.test('rejects a form with more than 64 parameters', async (t) => {
  const { form } = await auth(t)
  const many = Array.from({ length: 65 }, (_, n) => `p${n}=`).join('&')
  const answer = await form('/oauth/token', `grant_type=client_credentials&${many}`)
  t.equal(answer.statusCode, 400)
  t.match(answer.json(), { error: 'invalid_request', error_description: /64 parameters/ })
})

t.test('bounds identities and codes in a header as in a form', async (t) => {
  const { form } = await auth(t)
  for (const pair of [`${'x'.repeat(385)}:y`, `x:${'y'.repeat(385)}`]) {
    const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
    const answer = await form(
      '/oauth/token',
      { grant_type: 'client_credentials' },
      { authorization },
    )
    t.equal(answer.statusCode, 401)
    t.match(answer.json(), { error: 'invalid_client', error_description: /384/ })
  }
})

t.test('rejects a too large request line or header', async (t) => {
  const self = await auth(t)
  await listen(self)
  const { port } = self.app.server.address() as AddressInfo
  for (const head of [
    `GET /v1/nodes?x=${'x'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET /v1/nodes HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`,
  ]) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(head)
    let text = ''
    for await (const chunk of socket) {
      text += String(chunk)
    }
    t.match(text, /^HTTP\/1\.1 431 /)
    t.match(text, '"code":"headers_too_large"')
  }
})

t.test('limits the time of a slow request', async (t) => {
  const { app } = await auth(t)
  t.equal(app.server.requestTimeout, 30_000)
  t.ok(app.server.headersTimeout <= 60_000)
})
