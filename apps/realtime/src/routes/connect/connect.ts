import { codecFor } from '@portcullis/protocol'
import { addressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../../config/config.js'
import { Connection } from '../../connection/connection.js'
import { type CloseDeadline, WebSocketTransport } from '../../connection/io/web-socket-transport.js'
import { Guest, type Lobby } from '../../connection/lobby.js'
import type { Node } from '../../connection/node.js'
import { Deadline } from '../../connection/timing/deadline.js'
import { introspectLimited } from '../refusals/introspect-limited.js'
import type { RefusalLimits } from '../refusals/limit-refusals.js'
import { Refusal } from '../refusals/refusal.js'
import { checkOrigin, readableByPages } from './check-origin.js'
import { limitGuest } from './limit-guest.js'
import { nodeFull, type Places } from './places.js'
import { presentedToken } from './presented-token.js'
import { serveSocket } from './serve-socket.js'

/** The path that the protocol's SDKs expect. */
export const connectPath = '/connection/websocket'

type ConnectConfig = Pick<Config, 'ALLOWED_ORIGINS' | 'MAX_UNAUTHENTICATED'>

export interface ConnectRouteOptions {
  config: ConnectConfig
  node: Node
  /** Shared by all ways in. */
  places: Places
  /** Holds sockets without a token; undefined when each upgrade must bring a token. */
  lobby: Lobby | undefined
  /** Limits tokens that arrive in the first command. */
  refusals: RefusalLimits
  /** Milliseconds that a peer has to answer a close. */
  closeMs: number
}

/**
 * `GET /connection/websocket`: the Centrifuge protocol, for clients with a valid token. Bytes that
 * a client sends right after its upgrade request stay unread in the socket until the upgrade is
 * accepted.
 */
export function connectRoute(
  app: FastifyInstance,
  { config, node, places, lobby, refusals, closeMs }: ConnectRouteOptions,
): void {
  const guests = () => lobby?.size ?? 0
  const closeDeadline: CloseDeadline = new Deadline(closeMs, (late) => late.destroy())
  app.addHook('onClose', async () => closeDeadline.stop())
  app.get(
    connectPath,
    {
      websocket: true,
      onRequest: [
        (request, _reply, done) => {
          checkOrigin(request.headers.origin, config.ALLOWED_ORIGINS)
          requireUpgrade(request)
          const turn = places.reserve(request.raw.socket, addressOf(request))
          if (turn === undefined) {
            done()
          } else {
            turn.then(() => done(), done)
          }
        },
      ],
      preValidation: [
        app.admit({ optional: lobby !== undefined }),
        (request, _reply, done) => {
          const isFull = guests() >= config.MAX_UNAUTHENTICATED && !app.gate.admitted(request)
          done(isFull ? nodeFull() : undefined)
        },
      ],
      // @fastify/websocket assigns a response to the socket, which would keep the request for as long
      // as the socket is open.
      preHandler: (request, reply, done) => {
        reply.raw.detachSocket(request.raw.socket)
        done()
      },
    },
    (socket, request) => {
      const raw = request.raw.socket
      places.release(raw)
      const transport = new WebSocketTransport(socket, raw, closeDeadline)
      const codec = codecFor(socket.protocol)
      const peer =
        lobby !== undefined && !app.gate.admitted(request)
          ? lobby.add(transport, codec, introspectLimited(refusals, request, node.tokens))
          : new Connection({
              node,
              transport,
              codec,
              grant: request.grant,
              isAdmitted: presentedToken(request.headers),
            })
      if (peer instanceof Guest) {
        limitGuest(raw, peer, () => transport.destroy())
      }
      serveSocket(socket, transport, peer, app.log)
    },
  )
}

function requireUpgrade(request: FastifyRequest): void {
  if (!request.ws) {
    throw new Refusal(426, 'upgrade_required', 'this address accepts only WebSocket upgrades', {
      upgrade: 'websocket',
      connection: 'upgrade',
      ...readableByPages,
    })
  }
}
