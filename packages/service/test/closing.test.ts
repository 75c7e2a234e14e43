import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { closing } from '../src/closing.js'
import { health } from '../src/health.js'
import { internal } from '../src/internal.js'

/** Returns an app whose close pauses until `finishClose`. */
async function closingApp() {
  const app = Fastify({ return503OnClosing: false, logger: { level: 'silent' } })
  let finishClose = () => {}
  let underWay = () => {}
  let answer = () => {}
  const begun = new Promise<void>((resolve) => {
    underWay = resolve
  })
  const slow = new Promise<void>((resolve) => {
    answer = resolve
  })
  await app.register(closing, { allowedRoutes: ['/health', '/ready'] })
  await app.register(internal, { port: undefined })
  await app.register(health, { checks: { node: () => (app.leaving ? 'closing' : undefined) } })
  app.addHook('preClose', (done) => {
    finishClose = done
  })
  app.get('/work', async () => 'done')
  app.get('/slow', async () => {
    underWay()
    await slow
    return 'done'
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return {
    app,
    url: `http://127.0.0.1:${port}`,
    begun,
    answer: () => answer(),
    finishClose: () => finishClose(),
  }
}

t.test('refuses new requests with Retry-After, and answers monitoring', async (t) => {
  const { app, url, finishClose } = await closingApp()
  t.equal((await fetch(`${url}/work`)).status, 200)
  t.equal((await fetch(`${url}/ready`)).status, 200)
  const closed = app.close()
  const refused = await fetch(`${url}/work`)
  t.equal(refused.status, 503)
  t.match(refused.headers.get('retry-after'), /^[1-5]$/)
  t.equal(refused.headers.get('connection'), 'close')
  t.match(await refused.json(), { status: 503, code: 'closing' })
  const ready = await fetch(`${url}/ready`)
  t.equal(ready.status, 503)
  t.same(await ready.json(), { status: 'not ready', reasons: { node: 'closing' } })
  t.equal((await fetch(`${url}/health`)).status, 200, 'the process is healthy')
  finishClose()
  await closed
})

t.test('says that it leaves, and works as usual, before it closes', async (t) => {
  const { app, url, finishClose } = await closingApp()
  const left = app.leave(1)
  t.equal((await fetch(`${url}/ready`)).status, 503)
  t.equal((await fetch(`${url}/work`)).status, 200)
  await left
  t.equal((await fetch(`${url}/work`)).status, 200, 'until the close')
  const closed = app.close()
  t.equal((await fetch(`${url}/work`)).status, 503)
  finishClose()
  await closed
})

t.test('answers a request that came before the close', async (t) => {
  const { app, url, begun, answer, finishClose } = await closingApp()
  const slow = fetch(`${url}/slow`)
  await begun
  const closed = app.close()
  t.equal((await fetch(`${url}/work`)).status, 503, 'the app is closing')
  finishClose()
  answer()
  t.equal(await (await slow).text(), 'done')
  await closed
})
