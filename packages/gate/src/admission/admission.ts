import type { IncomingMessage } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { WebSocket } from 'ws'
import type { EndReason, LiveGrant } from '../grants/grant.js'
import type { Lease } from '../grants/lease.js'
import type { Watch } from '../grants/watch.js'
import { reset } from './reset.js'
import { closeEnded, closeGoingAway, closeLeaseLost, guardMessages } from './sockets.js'

/**
 * What stands on an admission: an HTTP response; a WebSocket that will be handed to `opened`; or a
 * connection that something we cannot see takes over.
 */
export type AdmittedKind = 'response' | 'websocket' | 'connection'

/**
 * One request or upgrade that was let through. Until a route holds the grant by itself, this closes
 * what stands on it.
 */
export class Admission {
  readonly grant: LiveGrant
  readonly #raw: IncomingMessage
  readonly #reply: FastifyReply
  readonly #kind: AdmittedKind
  #socket: WebSocket | undefined
  readonly #lease: Pick<Lease, 'held'>
  #release: (() => void) | undefined
  /** Ends the watch over each of the socket's messages. */
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

  /** Whether the gate still has to close what stands on the grant. */
  get ownedByGate(): boolean {
    return this.#release !== undefined
  }

  /** The connection is gone, the response is sent, or a route closes by itself from here on. */
  release(): void {
    this.#release?.()
    this.#release = undefined
    this.#unguardMessages?.()
    this.#unguardMessages = undefined
  }

  /** The upgrade has become a WebSocket; its route has not seen it yet. */
  opened(socket: WebSocket): void {
    this.#socket = socket
    this.#unguardMessages = guardMessages(socket, this.#raw.socket, this.#lease)
    // The token ended after auth's answer and before the socket was there.
    if (this.grant.ended !== undefined) {
      closeEnded(socket, this.#raw.socket, this.grant.ended)
    }
  }

  /** The lease is out: what stands here may be of a token whose revocation was missed. */
  leaseLost(): void {
    if (this.#socket !== undefined) {
      closeLeaseLost(this.#socket, this.#raw.socket)
    } else {
      this.#cut()
    }
  }

  /** The app closes. */
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
    // A WebSocket that is still to come is closed by `opened`.
    else if (this.#kind === 'websocket') {
      return
    }
    // The rest of the body would be read for nothing: no command may come of it any more.
    else if (this.#raw.complete === false) {
      reset(this.#raw.socket)
    }
    // Before its head is sent, an answer is replaced by the onSend hook.
    else if (this.#reply.raw.headersSent) {
      this.#cutResponse()
    }
  }

  #cutResponse(): void {
    const { raw } = this.#reply
    // One that waits for an earlier response on its connection has no socket yet.
    if (raw.socket !== null) {
      reset(raw.socket)
    }
    if (raw.socket?.destroyed !== false) {
      raw.destroy()
    }
  }
}
