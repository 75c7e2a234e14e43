// A Fastify app behind Portcullis. Requests and upgrades without an active token are refused, and a
// revocation closes every WebSocket that uses the token.
import websocket from '@fastify/websocket'
import { gate } from '@portcullis/gate'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'

export interface ExampleOptions {
  authUrl: string
  credentials: { identity: string; registrationCode: string }
  logger?: FastifyServerOptions['logger']
}

export async function build({
  authUrl,
  credentials,
  logger = true,
}: ExampleOptions): Promise<FastifyInstance> {
  const app = Fastify({ logger })
  await app.register(websocket)
  await app.register(gate, { authUrl, credentials })

  app.get('/echo', { websocket: true, preValidation: app.admit() }, (socket, request) => {
    socket.on('message', (data) => socket.send(`${request.grant.subject}: ${data}`))
  })
  app.get('/whoami', { preValidation: app.admit() }, async (request) => request.grant)
  app.get('/ready', async (_request, reply) => {
    const reason = app.gate.ready()
    return reply.code(reason === undefined ? 200 : 503).send({ reason })
  })
  return app
}
