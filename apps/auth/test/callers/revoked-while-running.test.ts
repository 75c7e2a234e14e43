// Tests every route that changes something for a caller's token: an admitted request has no effect after
// the receipt of a revocation that covers its token is complete, even if its body or handler is late.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { request as httpRequest } from 'node:http'
import type { Receipt } from '@portcullis/contracts/revocations'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { type Auth, auth } from '../fixtures/auth.js'
import { listen } from '../fixtures/node.js'
import { authWithRoutes } from '../fixtures/routes.js'

/** Existing objects for the requests. */
interface Targets {
  identity: string
  /** Id of its registration code. */
  code: string
  receiver: string
  kid: string
  jti: string
}

interface Command {
  path: (targets: Targets) => string
  body?: (targets: Targets) => object
}

const push = { method: 'urn:ietf:rfc:8935', endpoint_url: 'https://[100::]/' }

/** A valid request for each changing route, by method and path. */
const commands: Record<string, Command> = {
  'POST /v1/identities': {
    path: () => '/v1/identities',
    body: () => ({ identity: 'late', scopes: ['admin'] }),
  },
  'PATCH /v1/identities/:identity': {
    path: ({ identity }) => `/v1/identities/${identity}`,
    body: () => ({ labels: ['late'] }),
  },
  'POST /v1/identities/:identity/registration-codes': {
    path: ({ identity }) => `/v1/identities/${identity}/registration-codes`,
    body: () => ({}),
  },
  'POST /v1/identities/:identity/suspend': {
    path: ({ identity }) => `/v1/identities/${identity}/suspend`,
    body: () => ({ reason: 'late' }),
  },
  'POST /v1/identities/:identity/resume': {
    path: ({ identity }) => `/v1/identities/${identity}/resume`,
    body: () => ({}),
  },
  'DELETE /v1/identities/:identity': { path: ({ identity }) => `/v1/identities/${identity}` },
  'DELETE /v1/identities/:identity/registration-codes/:id': {
    path: ({ identity, code }) => `/v1/identities/${identity}/registration-codes/${code}`,
  },
  'POST /v1/tokens': {
    path: () => '/v1/tokens',
    body: () => ({ subject: 'late', scope: 'subscribe:late' }),
  },
  'POST /v1/revocations': { path: () => '/v1/revocations', body: ({ jti }) => ({ token: jti }) },
  'POST /v1/event-receivers': {
    path: () => '/v1/event-receivers',
    body: () => ({ aud: 'https://late.example', delivery: push }),
  },
  'PATCH /v1/event-receivers/:id': {
    path: ({ receiver }) => `/v1/event-receivers/${receiver}`,
    body: () => ({ description: 'late' }),
  },
  'DELETE /v1/event-receivers/:id': { path: ({ receiver }) => `/v1/event-receivers/${receiver}` },
  'POST /v1/event-receivers/:id/verify': {
    path: ({ receiver }) => `/v1/event-receivers/${receiver}/verify`,
    body: () => ({ state: 'late' }),
  },
  'POST /v1/keys/rotate': { path: () => '/v1/keys/rotate' },
  'POST /v1/keys/:kid/revoke': {
    path: ({ kid }) => `/v1/keys/${kid}/revoke`,
    body: () => ({ reason: 'late' }),
  },
  'POST /oauth/register': {
    path: () => '/oauth/register',
    body: () => ({ client_name: 'late', scope: 'subscribe:late' }),
  },
}

/** Routes that change nothing, or are authorized by something other than an access token. */
const others = [
  'POST /v1/introspections',
  'POST /oauth/token',
  'POST /oauth/introspect',
  'POST /oauth/revoke',
  'PUT /oauth/register/:client_id',
  'DELETE /oauth/register/:client_id',
  // Only the receiver's own identity may poll; see events/poll.test.ts.
  'POST /v1/event-receivers/:id/poll',
]

async function targets(self: Auth): Promise<Targets> {
  const admin = await self.token()
  const { identity } = await self.identity(['subscribe:*'])
  const added = await self.api(admin, 'POST', `/v1/identities/${identity}/registration-codes`, {})
  const receiver = await self.api(admin, 'POST', '/v1/event-receivers', {
    aud: 'https://shop.example',
    delivery: push,
  })
  const { keys } = (await self.api(admin, 'GET', '/v1/keys')).json()
  const issued = await self.api(admin, 'POST', '/v1/tokens', {
    subject: 'ada',
    scope: 'subscribe:news',
  })
  const [key] = keys as { kid: string }[]
  return {
    identity,
    code: added.json().id,
    receiver: receiver.json().id,
    kid: key?.kid ?? '',
    jti: issued.json().jti,
  }
}

/** Returns everything that the commands could change, as an administrator sees it. */
async function state(self: Auth): Promise<unknown[]> {
  const admin = await self.token()
  const paths = ['/v1/identities', '/v1/event-receivers', '/v1/keys', '/v1/revocations']
  // Pushes fail meanwhile, independently of the commands.
  const read = async (path: string) =>
    JSON.parse((await self.api(admin, 'GET', path)).body, (name, value) =>
      name === 'lastFailure' || name === 'lastFailureAt' ? undefined : value,
    )
  const late = await read('/v1/tokens?identity=admin&subject=late')
  return [late, ...(await Promise.all(paths.map(read)))]
}

async function revoke(by: Auth, token: string): Promise<Receipt> {
  const body = { token, wait: 10_000 }
  const answer = await by.api(await by.token(), 'POST', '/v1/revocations', body)
  if (answer.statusCode !== 201) {
    throw new Error(answer.body)
  }
  return answer.json()
}

t.test('covers every route that is not a GET', async (t) => {
  const { routes } = await authWithRoutes(t)
  const changing = routes
    .filter(({ method }) => method !== 'GET')
    .map(({ method, url }) => `${method} ${url}`)
  t.same(new Set(changing), new Set([...Object.keys(commands), ...others]))
})

t.test('cuts the connection when the body arrives after the receipt', async (t) => {
  const self = await auth(t, { PARTITIONS: '4' })
  const other = await self.another()
  const url = await listen(self)
  const existing = await targets(self)
  for (const [name, command] of Object.entries(commands)) {
    if (command.body === undefined) {
      continue
    }
    const token = await self.token()
    const body = JSON.stringify(command.body(existing))
    const sent = httpRequest(url + command.path(existing), {
      method: name.split(' ')[0],
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      },
    })
    const outcome = new Promise((resolve) => {
      sent.once('response', ({ statusCode }) => resolve(statusCode))
      sent.once('error', () => resolve('cut'))
    })
    sent.write(body.slice(0, -1))
    while (self.app.callers.running === 0) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    const receipt = await revoke(other, token)
    t.ok(receipt.complete, name)
    t.same(new Set(receipt.auths.map(({ state }) => state)), new Set(['acked']))
    const before = await state(other)
    sent.end(body.slice(-1))
    t.equal(await outcome, 'cut', name)
    t.same(await state(other), before, `${name} changes nothing`)
  }
})

t.test('changes nothing when the handler runs after the receipt', async (t) => {
  let beforeHandler = async (_token: string): Promise<void> => undefined
  const watch = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('preHandler', async ({ headers }) => {
      const token = headers['x-revoke-meanwhile']
      if (typeof token === 'string') {
        await beforeHandler(token)
      }
    })
  }
  subscribe('fastify.initialization', watch)
  const self = await auth(t, { PARTITIONS: '4' })
  unsubscribe('fastify.initialization', watch)
  const other = await self.another()
  const existing = await targets(self)
  let before: unknown[] = []
  beforeHandler = async (token) => {
    t.ok((await revoke(other, token)).complete)
    before = await state(other)
  }
  for (const [name, command] of Object.entries(commands)) {
    const token = await self.token()
    const answer = await self.app.inject({
      method: name.split(' ')[0] as 'POST',
      url: command.path(existing),
      headers: { authorization: `Bearer ${token}`, 'x-revoke-meanwhile': token },
      ...(command.body === undefined ? {} : { payload: command.body(existing) }),
    })
    t.equal(answer.statusCode, 401, name)
    t.match(answer.headers['www-authenticate'], /invalid_token/)
    t.same(await state(other), before, `${name} changes nothing`)
  }
})
