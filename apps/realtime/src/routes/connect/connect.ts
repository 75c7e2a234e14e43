import type { Socket } from 'node:net'
import { codecFor } from '@portcullis/protocol'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Connection } from '../../connection/connection.js'
import { webSocketTransport } from '../../connection/io/web-socket-transport.js'
import type { Lobby } from '../../connection/lobby.js'
import type { Node } from '../../connection/node.js'
import type { Tokens } from '../../connection/tokens.js'
import type { Refusals } from '../refusals/limit-refusals.js'
import { Refusal } from '../refusals/refusal.js'
import { checkOrigin } from './check-origin.js'
import { presentedToken } from './presented-token.js'

/** Where clients connect: the path that the protocol's SDKs expect. */
export const connectPath = '/connection/websocket'

export interface ConnectRouteOptions {
  node: Node
  /** Where sockets without a token wait to show one; undefined: there are none. */
  lobby: Lobby | undefined
  maxUnauthenticated: number
  /** Limits those whose token is shown in the first command. */
  refusals: Refusals
  allowedOrigins: readonly string[]
  maxConnections: number
  /** Upgrades that may wait for auth at the same time. */
  maxAdmissions: number
  /** How long a peer may take to answer a close, in milliseconds. */
  closeMs: number
  /** Where the sockets of upgrades are kept until they are decided. */
  upgrading: Set<Socket>
}

/**
 * `GET /connection/websocket`: the Centrifuge protocol, for whoever brings a good token.
 * What a client sends right behind its upgrade request stays unread in the socket until then.
 */
export function connectRoute(
  app: FastifyInstance,
  {
    node,
    lobby,
    maxUnauthenticated,
    refusals,
    allowedOrigins,
    maxConnections,
    maxAdmissions,
    closeMs,
    upgrading: waiting,
  }: ConnectRouteOptions,
): void {
  /** Holds a place from here until the connection is one of the hub, or the upgrade is refused. */
  async function reserve(request: FastifyRequest): Promise<void> {
    const open = node.hub.size + waiting.size + (lobby?.size ?? 0)
    if (waiting.size >= maxAdmissions || open >= maxConnections) {
      throw full()
    }
    const { socket } = request.raw
    waiting.add(socket)
    socket.once('close', () => waiting.delete(socket))
  }

  function full() {
    const retryAfter = String(1 + Math.floor(Math.random() * 5))
    return new Refusal(503, 'node_full', 'this node takes no more connections now; try again', {
      'retry-after': retryAfter,
    })
  }

  app.get(
    connectPath,
    {
      websocket: true,
      onRequest: [
        async (request) => {
          if (!request.ws) {
            throw new Refusal(426, 'upgrade_required', 'this address speaks WebSocket only', {
              upgrade: 'websocket',
              connection: 'upgrade',
            })
          }
          checkOrigin(request.headers.origin, allowedOrigins)
        },
        reserve,
      ],
      preValidation: [
        app.admit({ optional: lobby !== undefined }),
        async (request) => {
          const unauthenticated = (lobby?.size ?? 0) >= maxUnauthenticated
          if (unauthenticated && !app.gate.admitted(request)) {
            throw full()
          }
        },
      ],
    },
    (socket, request) => {
      const raw = request.raw.socket
      waiting.delete(raw)
      const transport = webSocketTransport(socket, raw, closeMs)
      const codec = codecFor(socket.protocol)
      const connection =
        lobby !== undefined && !app.gate.admitted(request)
          ? lobby.add(transport, codec, limited(refusals, request, node.tokens))
          : new Connection({
              node,
              transport,
              codec,
              grant: request.grant,
              isAdmitted: presentedToken(request.headers),
            })
      socket.on('message', (message: Buffer, isBinary) => connection.receive(message, isBinary))
      socket.on('close', () => connection.left())
    },
  )
}

/** Apart from the route's own closures, which would keep the request for as long as the socket is open. */
function limited(
  refusals: Refusals,
  request: FastifyRequest,
  tokens: Tokens,
): Tokens['introspect'] {
  return (token) => refusals.introspect(request, token, (shown) => tokens.introspect(shown))
}
