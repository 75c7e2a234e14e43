import type { IncomingMessage } from 'node:http'
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

/**
 * One admitted request or upgrade. Closes its response or socket when the grant ends, until a route
 * holds the grant itself.
 */
export class Admission {
  readonly grant: LiveGrant
  readonly #raw: IncomingMessage
  readonly #reply: FastifyReply
  readonly #kind: AdmittedKind
  #socket: WebSocket | undefined
  readonly #lease: Pick<Lease, 'held'>
  #release: (() => void) | undefined
  /** Ends the lease check of each message. */
  #unguardMessages: (() => void) | undefined

  constructor(
    grant: LiveGrant,
    watch: Watch,
    on: {
      raw: IncomingMessage
      reply: FastifyReply
      kind: AdmittedKind
      lease: Pick<Lease, 'held'>
    },
  ) {
    this.grant = grant
    this.#raw = on.raw
    this.#reply = on.reply
    this.#kind = on.kind
    this.#lease = on.lease
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
  }

  /** Takes the WebSocket of the upgrade, before its route does. */
  opened(socket: WebSocket): void {
    this.#socket = socket
    this.#unguardMessages = guardMessages(socket, this.#raw.socket, this.#lease)
    // The token may have ended between auth's answer and the upgrade.
    if (this.grant.ended !== undefined) {
      closeEnded(socket, this.#raw.socket, this.grant.ended)
    }
  }

  /** Closes the response or socket because this node may have missed the token's revocation. */
  leaseLost(): void {
    if (this.#socket !== undefined) {
      closeLeaseLost(this.#socket, this.#raw.socket)
    } else {
      this.#cut()
    }
  }

  /** Closes the socket because the app closes. */
  goAway(): void {
    if (this.#socket !== undefined) {
      closeGoingAway(this.#socket, this.#raw.socket)
    }
  }

  #end(reason: EndReason): void {
    if (this.#socket !== undefined) {
      closeEnded(this.#socket, this.#raw.socket, reason)
    } else {
      this.#cut()
    }
  }

  #cut(): void {
    if (this.#kind === 'connection') {
      reset(this.#raw.socket)
    }
    // `opened` closes the WebSocket once it exists.
    else if (this.#kind === 'websocket') {
      return
    }
    // No command may come of the rest of the body.
    else if (this.#raw.complete === false) {
      reset(this.#raw.socket)
    }
    // If the head is not sent yet, the onSend hook replaces the answer.
    else if (this.#reply.raw.headersSent) {
      this.#cutResponse()
    }
  }

  #cutResponse(): void {
    const { raw } = this.#reply
    // A response that waits for an earlier one on its connection has no socket yet.
    if (raw.socket !== null) {
      reset(raw.socket)
    }
    if (raw.socket?.destroyed !== false) {
      raw.destroy()
    }
  }
}
