import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply } from 'fastify'
import type { WebSocket } from 'ws'
import type { EndReason, LiveGrant } from '../grants/grant.js'
import type { Lease } from '../grants/lease.js'
import type { Watch } from '../grants/watch.js'
import { reset } from './reset.js'
import { closeEnded, closeGoingAway, closeLeaseLost, guardMessages } from './sockets.js'

/**
 * What was admitted: an HTTP response; a WebSocket, which `opened` will receive; or an upgraded
 * connection whose WebSocket server the gate cannot see.
 */
export type AdmittedKind = 'response' | 'websocket' | 'connection'

interface Admitted {
  readonly raw: IncomingMessage
  readonly reply: FastifyReply
  readonly kind: AdmittedKind
  readonly lease: Pick<Lease, 'held'>
}

/**
 * One admitted request or upgrade. Closes its response or socket when the grant ends, until a route
 * holds the grant itself.
 */
export class Admission {
  readonly grant: LiveGrant
  /** Undefined once released: a request is large, and its socket may stay open for days. */
  #on: Admitted | undefined
  #socket: WebSocket | undefined
  #release: (() => void) | undefined
  /** Ends the lease check of each message. */
  #unguardMessages: (() => void) | undefined

  constructor(grant: LiveGrant, watch: Watch, on: Admitted) {
    this.grant = grant
    this.#on = on
    this.#release = watch.hold(
      grant,
      (reason) => this.#end(reason),
      () => on.kind !== 'response' || on.reply.raw.headersSent,
    )
  }

  /** True while the gate, not a route, has to close the response or socket. */
  get ownedByGate(): boolean {
    return this.#release !== undefined
  }

  /** Call when the connection is gone, the response is sent, or a route takes over. */
  release(): void {
    this.#release?.()
    this.#release = undefined
    this.#unguardMessages?.()
    this.#unguardMessages = undefined
    this.#socket = undefined
    this.#on = undefined
  }

  /** Takes the WebSocket of the upgrade, before its route does. */
  opened(socket: WebSocket): void {
    if (this.#on === undefined) {
      return
    }
    const { raw, lease } = this.#on
    this.#socket = socket
    this.#unguardMessages = guardMessages(socket, raw.socket, lease)
    // The token may have ended between auth's answer and the upgrade.
    if (this.grant.ended !== undefined) {
      closeEnded(socket, raw.socket, this.grant.ended)
    }
  }

  /** Closes the response or socket because this node may have missed the token's revocation. */
  leaseLost(): void {
    this.#close((socket, raw) => closeLeaseLost(socket, raw))
  }

  /** Closes the socket because the app closes. */
  goAway(): void {
    if (this.#socket !== undefined && this.#on !== undefined) {
      closeGoingAway(this.#socket, this.#on.raw.socket)
    }
  }

  #end(reason: EndReason): void {
    this.#close((socket, raw) => closeEnded(socket, raw, reason))
  }

  #close(closeSocket: (socket: WebSocket, raw: Socket) => void): void {
    if (this.#on === undefined) {
      return
    }
    if (this.#socket !== undefined) {
      closeSocket(this.#socket, this.#on.raw.socket)
    } else {
      cut(this.#on)
    }
  }
}

function cut({ raw, reply, kind }: Admitted): void {
  if (kind === 'connection') {
    reset(raw.socket)
  }
  // `opened` closes the WebSocket once it exists.
  else if (kind === 'websocket') {
    return
  }
  // No command may come of the rest of the body.
  else if (raw.complete === false) {
    reset(raw.socket)
  }
  // If the head is not sent yet, the onSend hook replaces the answer.
  else if (reply.raw.headersSent) {
    cutResponse(reply)
  }
}

function cutResponse({ raw }: FastifyReply): void {
  // A response that waits for an earlier one on its connection has no socket yet.
  if (raw.socket !== null) {
    reset(raw.socket)
  }
  if (raw.socket?.destroyed !== false) {
    raw.destroy()
  }
}
