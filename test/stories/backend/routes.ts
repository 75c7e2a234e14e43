import type { AuthClient } from '@portcullis/backend'
import type { FastifyInstance, FastifyRequest } from 'fastify'

interface TokenRoutes {
  auth: AuthClient
  /** Your session: returns the signed-in user. */
  userOf(request: FastifyRequest): string | undefined
  /** Your rules. */
  mayRead(user: string, channel: string): boolean
}

/** The routes that the client package calls, and a sign-out that closes the user's sockets. */
export function addTokenRoutes(app: FastifyInstance, { auth, userOf, mayRead }: TokenRoutes): void {
  app.post('/token', async (request, reply) => {
    const subject = userOf(request)
    return subject === undefined
      ? reply.code(401).send({ error: 'signed_out' })
      : await auth.issueToken({ subject, scope: 'subscribe:news', ttlSeconds: 600 })
  })

  app.post<{ Body: { channel: string } }>('/channel-token', async (request, reply) => {
    const subject = userOf(request)
    const { channel } = request.body
    return subject === undefined || !mayRead(subject, channel)
      ? reply.code(403).send({ error: 'not_allowed' })
      : await auth.issueToken({ subject, channel, ttlSeconds: 600 })
  })

  app.post('/sign-out', async (request) => {
    const subject = userOf(request)
    return subject === undefined ? {} : { closed: (await auth.revoke({ subject })).complete }
  })
}
