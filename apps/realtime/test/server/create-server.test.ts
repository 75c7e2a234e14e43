import { makeAuthority } from '@portcullis/local'
import t from 'tap'
import { Agent, request } from 'undici'
import { config } from '../../src/config/config.js'
import { createServer } from '../../src/server/create-server.js'

t.test('listens with TLS and requests client certificates if configured', async (t) => {
  const authority = await makeAuthority('ours')
  const { cert, key } = await authority.sign('server', 'node')
  const app = createServer(
    config({
      REGISTRATION_CODE: 'code',
      LOG_LEVEL: 'silent',
      TLS_CERT: cert,
      TLS_KEY: key,
      TLS_CLIENT_CA: authority.cert,
    }),
  )
  t.teardown(() => app.close())
  app.get('/hello', async () => 'hello')
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.match(url, /^https:/)
  const ask = async (shown: object) => {
    const dispatcher = new Agent({ connect: { ca: authority.cert, ...shown } })
    t.teardown(() => dispatcher.close())
    const { body } = await request(`${url}/hello`, { dispatcher })
    return body.text()
  }
  t.equal(await ask(await authority.sign('client', 'proxy')), 'hello')
  await t.rejects(ask({}))
})
