import type { AuthClient } from '@portcullis/backend'
import fastify, { type FastifyInstance } from 'fastify'
import type { Page } from './page.js'
import { Sessions } from './sessions.js'

export interface BackendOptions {
  auth: AuthClient
  /** WebSocket URLs of the realtime nodes. */
  nodes: readonly string[]
  page: Page
}

const name = {
  type: 'object',
  required: ['user'],
  properties: { user: { type: 'string', pattern: '^[a-z0-9]{1,20}$' } },
}

const scope = ['subscribe', 'publish', 'presence', 'history'].map((verb) => `${verb}:room:*`)

/** Returns the application's backend: sign-in, tokens, and the button that cuts a user off. */
export function buildBackend({ auth, nodes, page }: BackendOptions): FastifyInstance {
  const app = fastify()
  const sessions = new Sessions()
  const users = new Set<string>()

  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({
      'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ${nodes.join(' ')}; base-uri 'none'; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
  })
  app.get('/', async (_request, reply) => reply.type('text/html').send(page.html))
  app.get('/page.js', async (_request, reply) => reply.type('text/javascript').send(page.script))
  app.get('/page.css', async (_request, reply) => reply.type('text/css').send(page.style))

  app.post<{ Body: { user: string } }>(
    '/sign-in',
    { schema: { body: name } },
    async (request, reply) => {
      sessions.begin(request.body.user, reply)
      return {}
    },
  )

  app.get('/me', async (request) => {
    const user = sessions.userOf(request)
    return user === undefined ? {} : { user, node: nodeOf(user) }
  })

  /** Users take turns, so that two of them show that all nodes share a room. */
  function nodeOf(user: string): string | undefined {
    users.add(user)
    return nodes[[...users].indexOf(user) % nodes.length]
  }

  app.post('/token', async (request, reply) => {
    const subject = sessions.userOf(request)
    if (subject === undefined) {
      return await reply.code(401).send({ error: 'signed_out' })
    }
    const token = await auth.issueToken({ subject, scope: scope.join(' '), ttlSeconds: 600 })
    // A session that has ended meanwhile gets no token: the revocation may have come before the token.
    return sessions.userOf(request) === subject
      ? token
      : await reply.code(401).send({ error: 'signed_out' })
  })

  app.post<{ Body: { user: string } }>(
    '/cut-off',
    { schema: { body: name } },
    async (request, reply) => {
      // A real application asks here whether this user is a moderator.
      if (sessions.userOf(request) === undefined) {
        return await reply.code(401).send({ error: 'signed_out' })
      }
      const { user } = request.body
      // First, so that the user gets no other token.
      sessions.end(user)
      const { nodes } = await auth.revoke({ subject: user, reason: 'cut off in the chat' })
      return {
        nodes: nodes.length,
        closed: nodes.reduce((sum, { connectionsClosed }) => sum + connectionsClosed, 0),
        ms: Math.ceil(Math.max(...nodes.map(({ ms = 0 }) => ms))),
      }
    },
  )
  return app
}
