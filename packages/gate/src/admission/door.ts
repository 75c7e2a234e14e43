import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { covers, parseScope } from '@portcullis/contracts/scopes'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { WebSocketServer } from 'ws'
import type { Introspector } from '../auth/introspector.js'
import type { Admit } from '../decorators.js'
import { GateError } from '../errors.js'
import type { Grant, LiveGrant } from '../grants/grant.js'
import type { Lease } from '../grants/lease.js'
import type { Watch } from '../grants/watch.js'
import type { GateStats } from '../stats.js'
import { Admission, type AdmittedKind } from './admission.js'
import { bearerToken } from './bearer.js'
import type { HeldCallers } from './held-callers.js'
import { refuse, replaceAnswer } from './refuse.js'
import { guardServer, isUpgrade } from './sockets.js'

interface DoorOptions {
  introspector: Introspector
  callers: HeldCallers
  watch: Watch
  lease: Lease
  stats: GateStats
  tokenInQuery: boolean
}

/** Admits requests and upgrades whose token is active, and keeps track of them. */
export class Door {
  readonly #options: DoorOptions
  readonly #byRequest = new WeakMap<IncomingMessage, Admission>()
  readonly #byGrant = new WeakMap<Grant, Admission>()
  /** Admissions whose connection is open or whose response is not sent. */
  readonly #open = new Set<Admission>()
  #emptied: (() => void) | undefined
  readonly #guarded = new WeakSet<WebSocketServer>()

  constructor(options: DoorOptions) {
    this.#options = options
    options.lease.listen({
      lost: () => {
        for (const admission of this.#open) {
          if (admission.ownedByGate) {
            admission.leaseLost()
          }
        }
      },
      regained: () => undefined,
    })
  }

  /** See `Admit`. @throws GateError `bad_options` when `scope` is not a valid scope */
  readonly admit: Admit = ({ scope, optional = false } = {}) => {
    const required = scope === undefined ? [] : parseScope(scope)
    if (required === undefined || (scope !== undefined && required.length === 0)) {
      throw new GateError('bad_options', `gate: "${scope}" is not a scope`)
    }
    const door = this
    return async function preValidation(request, reply) {
      // `this` is the route's context, which may have its own WebSocket server.
      const kind = isUpgrade(request.raw) ? door.#kindOfUpgrade(this) : 'response'
      try {
        const token = door.#token(request)
        const { callers, introspector } = door.#options
        // Each upgrade asks auth.
        const grant =
          kind === 'response' ? await callers.grantOf(token) : await introspector.introspect(token)
        return door.#enter(grant, required, request, reply, kind)
      } catch (error) {
        if (optional && error instanceof GateError && error.code === 'missing_token') {
          return undefined
        }
        return door.#refuse(request, reply, error)
      }
    }
  }

  /** Returns the grant of an admitted request. */
  grantOf(request: FastifyRequest): Grant {
    const admission = this.#byRequest.get(request.raw)
    if (admission !== undefined) {
      return admission.grant
    }
    throw new Error(
      'request.grant: this route has no app.admit() hook, or the hook has not admitted the request yet',
    )
  }

  hasGrant(request: FastifyRequest): boolean {
    return this.#byRequest.has(request.raw)
  }

  /** Leaves it to a route to close the response or socket of the grant. */
  handOver(grant: Grant): void {
    this.#byGrant.get(grant)?.release()
    this.#byGrant.delete(grant)
  }

  /** Watches the context's WebSocket server. Returns false when there is no visible server. */
  guard(app: FastifyInstance): boolean {
    const server: unknown = Reflect.get(app, 'websocketServer')
    if (!isWebSocketServer(server)) {
      return false
    }
    if (this.#guarded.has(server)) {
      return true
    }
    this.#guarded.add(server)
    guardServer(server, (socket, raw) => this.#byRequest.get(raw)?.opened(socket))
    return true
  }

  /** Returns the payload, or a refusal if the token ended or the lease ran out meanwhile. */
  answer(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
    const admission = this.#byRequest.get(request.raw)
    if (admission === undefined || !admission.ownedByGate) {
      return payload
    }
    const ended = admission.grant.ended !== undefined
    if (!ended && this.#options.lease.held) {
      return payload
    }
    if (payload instanceof Readable) {
      payload.destroy()
    }
    return replaceAnswer(reply, ended ? 'invalid_token' : 'auth_unavailable')
  }

  /** Closes the sockets that no route closes, because the app closes. */
  goAway(): void {
    for (const admission of this.#open) {
      if (admission.ownedByGate) {
        admission.goAway()
      }
    }
  }

  /** Resolves when nothing is open, or after `deadlineMs`: a server closes before its last sockets do. */
  async empty(deadlineMs: number): Promise<void> {
    if (this.#open.size === 0) {
      return
    }
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(resolve, deadlineMs)
      this.#emptied = () => {
        clearTimeout(deadline)
        resolve()
      }
    })
  }

  #kindOfUpgrade(app: FastifyInstance): AdmittedKind {
    return this.guard(app) ? 'websocket' : 'connection'
  }

  #token(request: FastifyRequest): string {
    return bearerToken(request.raw, this.#options.tokenInQuery ? request.query : undefined)
  }

  #enter(
    grant: LiveGrant,
    required: readonly string[],
    request: FastifyRequest,
    reply: FastifyReply,
    kind: AdmittedKind,
  ): FastifyReply | undefined {
    const admission = new Admission(grant, this.#options.watch, {
      raw: request.raw,
      reply,
      kind,
      lease: this.#options.lease,
    })
    const lacking = required.some((scope) => !covers(grant.scopes, scope, grant.subject))
    if (lacking || grant.ended !== undefined) {
      admission.release()
      const code = lacking ? 'insufficient_scope' : 'invalid_token'
      this.#options.stats.refused[code]++
      const scope = lacking ? required.join(' ') : undefined
      return refuse(request, reply, new GateError(code, 'authentication failed'), scope)
    }
    const gone = (): void => {
      admission.release()
      this.#open.delete(admission)
      if (this.#open.size === 0) {
        this.#emptied?.()
      }
    }
    // 'close' follows the end of the response or the loss of the peer; an upgrade has only its socket.
    const stream = kind === 'response' ? reply.raw : request.raw.socket
    stream.on('close', gone)
    this.#open.add(admission)
    this.#byRequest.set(request.raw, admission)
    this.#byGrant.set(grant, admission)
    if (request.raw.socket.destroyed) {
      gone()
    }
    this.#options.stats.admitted++
    return undefined
  }

  #refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
    if (!(error instanceof GateError) || error.code === 'bad_options') {
      throw error
    }
    this.#options.stats.refused[error.code]++
    return refuse(request, reply, error)
  }
}

/** Checks the properties used here: the app may have its own copy of ws. */
function isWebSocketServer(value: unknown): value is WebSocketServer {
  return (
    typeof value === 'object' &&
    value !== null &&
    'on' in value &&
    typeof value.on === 'function' &&
    'options' in value &&
    typeof value.options === 'object'
  )
}
