import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { StreamCodec } from '@portcullis/protocol'
import { addressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import type { Config } from '../../config/config.js'
import { Connection } from '../../connection/connection.js'
import { StreamTransport } from '../../connection/io/stream-transport.js'
import type { CloseDeadline } from '../../connection/io/web-socket-transport.js'
import type { Lobby } from '../../connection/lobby.js'
import type { Node } from '../../connection/node.js'
import { Deadline } from '../../connection/timing/deadline.js'
import type { Sessions, StreamKind } from '../../sessions/sessions.js'
import { nodeFull, type Places } from '../connect/places.js'
import { presentedToken } from '../connect/presented-token.js'
import { introspectLimited } from '../refusals/introspect-limited.js'
import type { RefusalLimits } from '../refusals/limit-refusals.js'
import { Refusal } from '../refusals/refusal.js'

export interface StreamsOptions {
  config: Pick<Config, 'MAX_UNAUTHENTICATED'>
  node: Node
  places: Places
  /** Holds streams whose `connect` command brought the token, until auth has answered. */
  lobby: Lobby
  /** Limits tokens that arrive in commands. */
  refusals: RefusalLimits
  sessions: Sessions
  /** Random id of this process. */
  uid: string
  /** Milliseconds that a peer has to close its side. */
  closeMs: number
}

export interface StreamRequest {
  kind: StreamKind
  codec: StreamCodec
  /** The frame with the `connect` command. */
  connect: Buffer
}

export interface Streams {
  /** The hooks of a route that opens streams. */
  readonly admission: Pick<RouteShorthandOptions, 'preValidation' | 'onResponse'>
  /** Answers a request with a stream. */
  open(stream: StreamRequest, request: FastifyRequest, reply: FastifyReply): void
}

/** Random bytes of a session. */
const sessionBytes = 24

/**
 * Opens streams for clients. As at the upgrade of a WebSocket, a place is reserved before auth is asked,
 * and nothing of the application reaches the stream before auth's answer.
 */
export function openStreams(app: FastifyInstance, options: StreamsOptions): Streams {
  const { config, node, places, lobby, refusals, sessions, uid, closeMs } = options
  const closeDeadline: CloseDeadline = new Deadline(closeMs, (late) => late.destroy())
  app.addHook('onClose', async () => closeDeadline.stop())
  return {
    admission: {
      preValidation: [
        async (request, reply) => {
          requireOwnConnection(reply)
          await places.reserve(request.raw.socket, addressOf(request))
        },
        app.admit({ optional: true }),
        async (request) => {
          if (lobby.size >= config.MAX_UNAUTHENTICATED && !app.gate.admitted(request)) {
            throw nodeFull()
          }
        },
      ],
      // An open stream has released its place.
      onResponse: async ({ raw }) => places.release(raw.socket),
    },
    open({ kind, codec, connect }, request, reply) {
      const { socket: raw } = request.raw
      if (app.closing) {
        throw nodeFull()
      }
      beginBody(reply, codec)
      places.release(raw)
      const session = randomBytes(sessionBytes).toString('base64url')
      const emulation = { session, node: uid }
      const transport = new StreamTransport({ name: kind, raw, codec, emulation, closeDeadline })
      const peer = app.gate.admitted(request)
        ? new Connection({
            node,
            transport,
            codec,
            grant: request.grant,
            isAdmitted: presentedToken(request.headers),
          })
        : lobby.add(transport, codec, introspectLimited(refusals, request, node.tokens))
      const removeSession = sessions.add(session, kind, peer)
      const ended = (): void => {
        removeSession()
        transport.closed()
        peer.left()
      }
      onEnd(raw, ended)
      peer.receive(connect, codec.binary)
    },
  }
}

/**
 * Refuses a request behind another one on its connection, whose answer would come first. So a connection
 * waits for one admission at most, and a stream has its connection for itself.
 */
function requireOwnConnection(reply: FastifyReply): void {
  if (reply.raw.socket === null) {
    throw new Refusal(400, 'pipelined', 'send this request on a connection without other requests')
  }
}

/** Writes the head. The body has no length: it ends with the connection. */
function beginBody(reply: FastifyReply, { mediaType }: StreamCodec): void {
  reply.hijack()
  const { raw } = reply
  raw.removeHeader('transfer-encoding')
  reply.headers({
    'content-type': mediaType,
    // Neither store nor compress nor collect the stream on the way.
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  })
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) {
      raw.setHeader(name, value)
    }
  }
  raw.writeHead(200)
  raw.flushHeaders()
}

function onEnd(raw: Socket, ended: () => void): void {
  if (raw.destroyed) {
    // 'close' may have been emitted already.
    ended()
  } else {
    raw.once('close', ended)
  }
}
