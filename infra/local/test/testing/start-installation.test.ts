import { connect } from '@portcullis/redis'
import t from 'tap'
import { startInstallation } from '../../src/testing/start-installation.js'

t.setTimeout(120_000)

t.test('starts an installation for a test, and leaves nothing', async (t) => {
  const pids: number[] = []
  let redis = { url: '', prefix: '' }
  await t.test('the test', async (t) => {
    const installation = await startInstallation(t, { realtime: 2 })
    const { auth, realtime, api, userToken, identityClient } = installation
    redis = installation.redis
    pids.push(auth.pid, ...realtime.map((node) => node.pid))
    const [first, second] = realtime
    t.not(first.url, second.url)
    t.match(first.wsUrl, /^ws:\/\/127\.0\.0\.1:\d+\/connection\/websocket$/)

    const ada = await userToken('ada', 'subscribe:*')
    t.equal(ada.token_type, 'Bearer')
    const shop = await identityClient('shop', ['subscribe:*'])
    t.ok(await shop.accessToken())
    t.equal((await shop.api('GET', '/v1/identities')).status, 403, 'not the administrator')
    const nodes = await api('GET', '/v1/nodes')
    t.equal(nodes.status, 200)

    await auth.kill()
    await auth.restart()
    t.equal((await api('GET', '/v1/nodes')).status, 200, 'after a restart')
    t.match(auth.output(), /./, 'with what both processes wrote')
    pids.push(auth.pid)
  })
  for (const pid of pids) {
    t.throws(() => process.kill(pid, 0), { code: 'ESRCH' }, 'no process')
  }
  if (process.env['REDIS_URL'] === undefined) {
    return
  }
  const client = connect({ url: redis.url, onError: () => undefined })
  await client.connect()
  t.same(await client.keys(`*${redis.prefix}*`), [], 'no key')
  await client.quit()
})
