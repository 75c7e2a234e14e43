import type { IncomingMessage } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { WebSocket } from 'ws'
import type { EndReason, LiveGrant } from './grant.js'
import { closeEnded, closeLeaving } from './sockets.js'
import type { Watch } from './watch.js'

/**
 * What stands on an admission: an HTTP response; a WebSocket that will be handed to `opened`; or a
 * connection that something we cannot see takes over.
 */
export type Standing = 'response' | 'websocket' | 'connection'

/**
 * One request or upgrade that was let through. Until a route holds the grant by itself, this closes
 * what stands on it.
 */
export class Admission {
  readonly grant: LiveGrant
  readonly #raw: IncomingMessage
  readonly #reply: FastifyReply
  readonly #standing: Standing
  #socket: WebSocket | undefined
  #release: (() => void) | undefined

  constructor(
    grant: LiveGrant,
    watch: Watch,
    on: { raw: IncomingMessage; reply: FastifyReply; standing: Standing },
  ) {
    this.grant = grant
    this.#raw = on.raw
    this.#reply = on.reply
    this.#standing = on.standing
    this.#release = watch.hold(grant, (reason) => this.#end(reason))
  }

  /** Whether the gate still has to close what stands on the grant. */
  get ours(): boolean {
    return this.#release !== undefined
  }

  /** The connection is gone, the response is sent, or a route closes by itself from here on. */
  release(): void {
    this.#release?.()
    this.#release = undefined
  }

  /** The upgrade has become a WebSocket; its route has not seen it yet. */
  opened(socket: WebSocket): void {
    this.#socket = socket
    // The token ended after auth's answer and before the socket was there.
    if (this.grant.ended !== undefined) closeEnded(socket, this.grant.ended)
  }

  /** The app closes. */
  leave(): void {
    if (this.#socket !== undefined) closeLeaving(this.#socket)
  }

  #end(reason: EndReason): void {
    if (this.#socket !== undefined) closeEnded(this.#socket, reason)
    else if (this.#standing === 'connection') this.#raw.socket.destroy()
    // Before its head is sent, an answer is replaced by the onSend hook. A WebSocket that is still
    // to come is closed by `opened`.
    else if (this.#standing === 'response' && this.#reply.raw.headersSent) this.#reply.raw.destroy()
  }
}
