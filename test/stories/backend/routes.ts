import type { AuthClient } from '@portcullis/backend'
import type { FastifyInstance, FastifyRequest } from 'fastify'

interface TokenRoutes {
  auth: AuthClient
  /** Your session: returns the signed-in user. */
  userOf(request: FastifyRequest): Promise<string | undefined>
  /** Your session: ends all sessions of a user. */
  endSessions(user: string): Promise<void>
  /** Your rules. */
  mayRead(user: string, channel: string): boolean
}

/** The routes that the client package calls, and a sign-out that closes the user's sockets. */
export function addTokenRoutes(app: FastifyInstance, routes: TokenRoutes): void {
  const { auth, userOf, endSessions, mayRead } = routes

  async function issue(request: FastifyRequest, order: { scope: string } | { channel: string }) {
    const subject = await userOf(request)
    if (subject === undefined) {
      return undefined
    }
    const token = await auth.issueToken({ subject, ttlSeconds: 600, ...order })
    // A user who was signed out meanwhile gets no token: the revocation may have come before the token.
    return (await userOf(request)) === subject ? token : undefined
  }

  app.post('/token', async (request, reply) => {
    const token = await issue(request, { scope: 'subscribe:news' })
    return token ?? (await reply.code(401).send({ error: 'signed_out' }))
  })

  app.post<{ Body: { channel: string } }>('/channel-token', async (request, reply) => {
    const { channel } = request.body
    const user = await userOf(request)
    const isAllowed = user !== undefined && mayRead(user, channel)
    const token = isAllowed ? await issue(request, { channel }) : undefined
    return token ?? (await reply.code(403).send({ error: 'not_allowed' }))
  })

  app.post('/sign-out', async (request) => {
    const subject = await userOf(request)
    if (subject === undefined) {
      return {}
    }
    // In this order: the session gets no other token, and then its tokens end.
    await endSessions(subject)
    const receipt = await auth.revoke({ subject })
    return { closed: receipt.complete }
  })
}
