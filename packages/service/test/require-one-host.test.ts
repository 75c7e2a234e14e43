import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import t from 'tap'
import { problems } from '../src/problems.js'
import { requireOneHost } from '../src/require-one-host.js'

t.test('refuses a request with several Host headers', async (t) => {
  const app = Fastify()
  await app.register(requireOneHost)
  await app.register(problems)
  app.get('/', async () => 'ok')
  t.teardown(() => app.close())
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const ask = async (headers: readonly string[]) => {
    const socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write(['GET / HTTP/1.1', ...headers, 'Connection: close', '', ''].join('\r\n'))
    return text(socket)
  }
  t.match(await ask(['Host: a']), /^HTTP\/1\.1 200 /)
  for (const second of ['Host: b', 'host: a', 'HOST:']) {
    const answer = await ask(['Host: a', 'Accept: */*', second])
    t.match(answer, /^HTTP\/1\.1 400 /)
    t.match(answer, /"code":"malformed_request".*"detail":"the request must have one Host header"/)
  }
})
