import websocket from '@fastify/websocket'
import { subprotocol } from '@portcullis/contracts'
import { protobufSubprotocol } from '@portcullis/protocol'
import type { FastifyInstance } from 'fastify'
import type { Config } from './config.js'
import { connectPath } from './routes/connect.js'
import { Refusal } from './routes/refusal.js'

/**
 * Has the server take WebSockets, at one path alone and within bounds.
 *
 * @param closeSockets - ends all of them, before the server closes
 */
export async function acceptWebSockets(
  app: FastifyInstance,
  { MAX_FRAME_BYTES, CLOSE_DEADLINE_MS }: Config,
  closeSockets: () => Promise<void>,
): Promise<void> {
  // Options of ws that its types do not have yet.
  const bounds = {
    maxFragments: 1024,
    maxBufferedChunks: 8192,
    closeTimeout: Math.min(5000, CLOSE_DEADLINE_MS),
  }
  await app.register(websocket, {
    options: {
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
      ...bounds,
      // The token travels beside it, as a second subprotocol, and must not come back.
      handleProtocols: (offered) =>
        [protobufSubprotocol, subprotocol].find((name) => offered.has(name)) ?? false,
    },
    errorHandler: (error, socket) => {
      // ws has already sent a close code for what is against RFC 6455; the socket ends by itself.
      app.log.debug({ err: error }, 'socket')
      if (socket.readyState === socket.OPEN) socket.terminate()
    },
    preClose: (done) => {
      closeSockets().finally(done)
    },
  })
  app.addHook('onRequest', async ({ ws, routeOptions }) => {
    // The plugin would take the upgrade, unauthenticated, and close it afterwards.
    if (ws && routeOptions.url !== connectPath) {
      throw new Refusal(404, 'not_found', `there is no WebSocket here; it is at ${connectPath}`)
    }
  })
}
