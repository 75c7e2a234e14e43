import websocket from '@fastify/websocket'
import { subprotocol } from '@portcullis/contracts/websocket'
import { resetWebSocket } from '@portcullis/gate'
import { protobufSubprotocol } from '@portcullis/protocol'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/config.js'
import { connectPath } from '../routes/connect/connect.js'
import { Refusal } from '../routes/refusals/refusal.js'

/** How long a peer may take to answer a close, in milliseconds; then its connection is reset. */
export function closeMs({ CLOSE_DEADLINE_MS }: Pick<Config, 'CLOSE_DEADLINE_MS'>): number {
  return Math.min(5000, CLOSE_DEADLINE_MS)
}

/**
 * Has the server take WebSockets, at one path alone and within bounds.
 *
 * @param closeSockets - ends all of them, before the server closes
 */
export async function acceptWebSockets(
  app: FastifyInstance,
  config: Config,
  closeSockets: () => Promise<void>,
): Promise<void> {
  // Options of ws that its types do not have yet.
  const bounds = {
    maxFragments: 1024,
    maxBufferedChunks: 8192,
    // Behind ours: at its end ws destroys the socket, and the kernel goes on sending.
    closeTimeout: closeMs(config) + 1000,
  }
  await app.register(websocket, {
    options: {
      perMessageDeflate: false,
      maxPayload: config.MAX_FRAME_BYTES,
      ...bounds,
      // The token travels beside it, as a second subprotocol, and must not come back.
      handleProtocols: (offered) =>
        [protobufSubprotocol, subprotocol].find((name) => offered.has(name)) ?? false,
    },
    errorHandler: (error, socket, request) => {
      app.log.debug({ err: error }, 'socket')
      const cut = () => resetWebSocket(socket, request.raw.socket)
      if (socket.readyState === socket.OPEN) {
        cut()
        return
      }
      // ws has already sent a close code for what is against RFC 6455.
      const deadline = setTimeout(cut, closeMs(config))
      socket.once('close', () => clearTimeout(deadline))
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
