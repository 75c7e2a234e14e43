import t from 'tap'
import { auth } from './fixtures/auth.js'
import { claims, clientKey } from './fixtures/client-key.js'
import { hello, node } from './fixtures/node.js'
import { ready } from './fixtures/ready.js'
import { redisProxy } from './fixtures/redis-proxy.js'

t.test(
  'no log line of any route contains a token, code, signature or credential header',
  async (t) => {
    const proxy = await redisProxy(t)
    const self = await auth(t, { LOG_LEVEL: 'trace', REDIS_URL: proxy.url })
    const secrets = new Set<string>([self.admin.registrationCode])
    const remember = (token: string) => {
      secrets.add(token)
      for (const part of token.split('.')) {
        secrets.add(part)
      }
      return token
    }
    const admin = remember(await self.token())
    const shop = await self.identity(['tokens:issue', 'subscribe:a', 'feed'])
    secrets.add(shop.registrationCode)
    const path = `/v1/identities/${shop.identity}`
    const added = await self.api(admin, 'POST', `${path}/registration-codes`, {})
    secrets.add(added.json().registrationCode)
    const backend = remember(await self.token(shop))
    const issued = await self.api(backend, 'POST', '/v1/tokens', { subject: 'ann' })
    const user = remember(issued.json().access_token)

    const basic = Buffer.from(`${shop.identity}:${shop.registrationCode}`).toString('base64')
    secrets.add(basic)
    await self.form(
      '/oauth/token',
      { grant_type: 'client_credentials' },
      { authorization: `Basic ${basic}` },
    )
    await self.form('/oauth/token', `client_secret=${shop.registrationCode}&client_secret=x`)
    await self.form('/oauth/introspect', { token: user }, { authorization: `Bearer ${admin}` })
    await self.form('/oauth/introspect', { token: user, client_secret: shop.registrationCode })
    const key = await clientKey()
    const grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange'
    const keys = { jwks: { keys: [key.jwk] }, grant_types: [grant_type] }
    const metadata = { scope: 'tokens:issue subscribe:a', ...keys }
    const registered = (await self.api(admin, 'POST', '/oauth/register', metadata)).json()
    const { client_id, client_secret, registration_access_token } = registered
    for (const secret of [client_secret, registration_access_token]) {
      secrets.add(secret)
    }
    const own = `/oauth/register/${client_id}`
    await self.api(registration_access_token, 'GET', own)
    await self.api(client_secret, 'GET', own)
    const signs = async (sub: string) => remember(await key.sign(claims(client_id, { sub })))
    const exchange = {
      grant_type,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      subject_token: await signs('ann'),
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    }
    for (const client_assertion of [await signs(client_id), await signs('ann')]) {
      await self.form('/oauth/token', { ...exchange, client_assertion })
    }
    await self.api(registration_access_token, 'PUT', own, { client_id, client_secret })
    await self.form('/oauth/revoke', { token: user, client_id, client_secret })
    await self.api(registration_access_token, 'DELETE', own)
    const gets = [
      '/v1/identities',
      path,
      `/v1/tokens?identity=${shop.identity}`,
      `/v1/tokens/${issued.json().jti}`,
      '/v1/revocations',
      '/v1/revocations/0-AAAAAAAAAAAAAAAAAAAAAA',
      '/v1/nodes',
      '/v1/feed',
      '/health',
      '/ready',
      '/metrics',
      '/docs',
      '/.well-known/jwks.json',
      '/.well-known/oauth-authorization-server',
      // URLs that contain a token by mistake.
      `/v1/nodes?access_token=${user}`,
      `/v1/tokens/${user}`,
      `/${user}`,
      `/%zz${user}`,
    ]
    for (const url of gets) {
      await self.api(admin, 'GET', url)
    }
    await self.api(`${user}x`, 'GET', '/v1/nodes')
    await self.api(user, 'GET', '/v1/nodes')
    await self.api(admin, 'POST', '/v1/introspections', { tokens: [user, 'x'] })
    await self.api(admin, 'POST', '/v1/introspections', { tokens: user })
    await self.api(admin, 'PATCH', path, { labels: ['x'] })
    await self.api(admin, 'POST', '/v1/revocations', { token: `${user}x` })
    await self.api(admin, 'POST', '/v1/revocations', { token: user, dryRun: true })
    await self.api(admin, 'POST', '/v1/revocations', { token: user })

    const feed = await node(t, self, remember(await self.token(shop)))
    feed.send(hello('node-1'))
    await feed.welcome()
    feed.send(`{"type":"${user}"}`)
    await feed.closed

    proxy.cut()
    for (const url of gets) {
      await self.api(admin, 'GET', url)
    }
    const away = await self.form('/oauth/token', {
      grant_type: 'client_credentials',
      client_id: shop.identity,
      client_secret: shop.registrationCode,
    })
    t.equal(away.statusCode, 503)
    proxy.restore()
    await ready(self)
    await self.api(admin, 'POST', `${path}/suspend`)
    await self.api(admin, 'POST', `${path}/resume`)
    const { id } = added.json()
    await self.api(admin, 'DELETE', `${path}/registration-codes/${id}`)
    await self.api(admin, 'DELETE', path)
    await self.app.close()

    const logs = self.logs()
    t.ok(logs.split('\n').length > 50, 'the requests were logged')
    t.match(logs, '"route":"/v1/tokens/:jti"')
    t.match(logs, 'request failed', 'failures were logged too')
    t.ok(secrets.size >= 12)
    for (const secret of secrets) {
      t.notOk(logs.includes(secret), `${secret.slice(0, 6)}…`)
    }
    t.notMatch(logs, /"authorization"|Bearer [\w-]|Basic [\w-]/)
  },
)
