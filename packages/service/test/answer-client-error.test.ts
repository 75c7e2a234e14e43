import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { answerClientError } from '../src/answer-client-error.js'

async function answerTo(t: { teardown(end: () => Promise<void>): void }, bytes: string) {
  const app = Fastify({ clientErrorHandler: answerClientError })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(bytes)
  let text = ''
  // Ends because the server closes the connection.
  for await (const chunk of socket) {
    text += String(chunk)
  }
  const [head = '', body = ''] = text.split('\r\n\r\n')
  return { head, body: JSON.parse(body) }
}

t.test('answers a malformed request with a problem, and closes the connection', async (t) => {
  const { head, body } = await answerTo(t, 'not http\r\n\r\n')
  t.match(head, /^HTTP\/1\.1 400 Bad Request\r\n/)
  t.match(head, 'content-type: application/problem+json')
  t.match(head, 'x-content-type-options: nosniff')
  t.match(body, { type: 'about:blank', status: 400, code: 'malformed_request', detail: String })
})

t.test('answers 431 to headers that are too large', async (t) => {
  const { body } = await answerTo(t, `GET / HTTP/1.1\r\nx: ${'x'.repeat(17_000)}\r\n\r\n`)
  t.match(body, { status: 431, code: 'headers_too_large' })
})
