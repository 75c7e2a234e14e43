import websocket from '@fastify/websocket'
import { subprotocol } from '@portcullis/contracts/websocket'
import { resetWebSocket } from '@portcullis/gate'
import { protobufSubprotocol } from '@portcullis/protocol'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/config.js'
import { connectPath } from '../routes/connect/connect.js'
import { Refusal } from '../routes/refusals/refusal.js'

/**
 * Returns how long a peer has to answer a close, in milliseconds, before its connection is reset.
 */
export function closeMs({ CLOSE_DEADLINE_MS }: Pick<Config, 'CLOSE_DEADLINE_MS'>): number {
  return Math.min(5000, CLOSE_DEADLINE_MS)
}

/**
 * Accepts WebSockets at `connectPath` only, within bounds.
 *
 * @param closeSockets - ends all sockets before the server closes
 */
export async function acceptWebSockets(
  app: FastifyInstance,
  config: Config,
  closeSockets: () => Promise<void>,
): Promise<void> {
  // Options of ws that its types lack.
  const bounds = {
    maxFragments: 1024,
    maxBufferedChunks: 8192,
    // Later than our own deadline: ws destroys the socket, after which the kernel goes on sending.
    closeTimeout: closeMs(config) + 1000,
  }
  await app.register(websocket, {
    options: {
      perMessageDeflate: false,
      maxPayload: config.MAX_FRAME_BYTES,
      ...bounds,
      // Never selects the second subprotocol that carries the token: the reply must not repeat it.
      handleProtocols: (offered) =>
        [protobufSubprotocol, subprotocol].find((name) => offered.has(name)) ?? false,
    },
    // Only for errors before the route has the socket.
    errorHandler: (error, socket, request) => {
      app.log.debug({ err: error }, 'socket')
      resetWebSocket(socket, request.raw.socket)
    },
    preClose: (done) => {
      closeSockets().finally(done)
    },
  })
  app.addHook('onRequest', ({ ws, routeOptions }, _reply, done) => {
    // Otherwise the plugin would accept the upgrade without a token and close it afterwards.
    if (ws && routeOptions.url !== connectPath) {
      done(new Refusal(404, 'not_found', `no WebSocket at this address; connect to ${connectPath}`))
    } else {
      done()
    }
  })
}
