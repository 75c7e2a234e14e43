import { Readable } from 'node:stream'
import {
  Admission,
  GateError,
  type Lease,
  type LiveGrant,
  type Watch,
} from '@portcullis/gate/grants'
import { answerable, problemOf } from '@portcullis/service'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { AuthError, translate } from '../errors.js'
import { deadlines, partitionOf, type Registry, RegistryError } from '../registry/index.js'
import { oauthErrorOf } from '../routes/oauth/errors.js'
import { type ActiveToken, introspectOne } from '../tokens/introspect.js'
import { activeResponse } from '../tokens/introspection.js'
import type { Jwt } from '../tokens/jwt.js'
import { type HeldCaller, HeldCallers } from './held-callers.js'

/** Headers of a response, removed when an error replaces it. */
const responseHeaders = ['location', 'content-disposition', 'content-length', 'etag'] as const

export interface CallersOptions {
  registry: Registry
  jwt: Jwt
  watch: Watch
  /** Returns the lease that callers of a partition depend on. */
  lease(partition: number): Pick<Lease, 'held' | 'leftMs'>
  /** The callers between their requests; the simulation's mutants replace it. */
  held?: HeldCallers
}

/** The acts that a request's token allows until the token ends. */
export interface Authority {
  /**
   * Checks the token and the lease again, and calls `work` in the same synchronous step, with a
   * registry whose scripts Redis refuses after a deadline. Every write for a caller goes through
   * `act`, however long ago the request was admitted.
   *
   * @throws AuthError `invalid_token` when the token has ended
   * @throws RegistryError `registry_unavailable` without a lease; and the errors of `work`
   */
  act<Result>(work: (registry: Registry) => Promise<Result>): Promise<Result>
  /**
   * Sends the response even if the token has ended: the revocation may cover the caller's own
   * token.
   */
  keepResponse(): void
}

type Admitted = ActiveToken & { authority: Authority }

const admissionOf = Symbol('admission')

declare module 'fastify' {
  interface FastifyRequest {
    /** The admission of a request with a token, once it is admitted. */
    [admissionOf]: { admission: Admission; lease: Pick<Lease, 'held'> } | null
  }
}

/**
 * The tokens of auth's callers, from their introspection until the response to their request, and
 * between their requests (`HeldCallers`). A revocation ends them here as it ends connections at a node.
 */
export class Callers {
  readonly #options: CallersOptions
  readonly #registryUntil: (deadline: number) => Registry
  readonly #held: HeldCallers
  #running = 0

  constructor(options: CallersOptions) {
    this.#options = options
    this.#registryUntil = deadlines(options.registry)
    this.#held = options.held ?? new HeldCallers(options)
  }

  /** Number of running requests with a token. */
  get running(): number {
    return this.#running
  }

  /**
   * Finds the held caller of a request's token, or introspects the token and watches it, from before
   * the introspection, so that no revocation falls between the two. Returns or resolves to undefined
   * when the token is not active. A held caller costs no promise.
   *
   * @throws RegistryError `registry_unavailable`
   */
  admit(
    request: FastifyRequest,
    reply: FastifyReply,
    token: string,
  ): Admitted | undefined | Promise<Admitted | undefined> {
    try {
      const known = this.#held.find(token)
      return known === undefined
        ? this.#ask(request, reply, token).catch(notActive)
        : this.#admitted(request, reply, known)
    } catch (error) {
      return notActive(error)
    }
  }

  /**
   * Returns the error to send instead of the response, if the token has ended or the lease is out.
   */
  refusal(request: FastifyRequest): AuthError | RegistryError | undefined {
    const admitted = request[admissionOf]
    if (admitted === null || !admitted.admission.ownedByGate) {
      return undefined
    }
    if (admitted.admission.grant.ended !== undefined) {
      return tokenEnded()
    }
    return admitted.lease.held ? undefined : noLease()
  }

  async #ask(
    request: FastifyRequest,
    reply: FastifyReply,
    token: string,
  ): Promise<Admitted | undefined> {
    const { registry, jwt, watch } = this.#options
    const askedAt = performance.now()
    const mark = watch.begin()
    try {
      const active = await introspectOne(registry, jwt, token)
      if (active === undefined) {
        return undefined
      }
      // From here without `await`: the watch forgets a grant that neither a request nor `#held` holds.
      const { claims, record } = active
      const grant = watch.register(activeResponse(jwt, active), token, mark)
      // The expiry is now a time of this process's clock.
      const caller = { claims, record: { ...record, expiresAt: grant.expiresAt }, grant }
      this.#held.hold(token, caller, askedAt)
      return this.#admitted(request, reply, caller)
    } finally {
      watch.finish(mark)
    }
  }

  #admitted(request: FastifyRequest, reply: FastifyReply, caller: HeldCaller): Admitted {
    const { claims, record, grant } = caller
    return { claims, record, authority: this.#authority(request, reply, grant) }
  }

  #authority(request: FastifyRequest, reply: FastifyReply, grant: LiveGrant): Authority {
    const { registry, watch } = this.#options
    const lease = this.#options.lease(partitionOf(grant.identity, registry.partitions))
    if (!lease.held) {
      throw noLease()
    }
    const act: Authority['act'] = async (work) => {
      const call = (deadline: number) => work(this.#registryUntil(deadline))
      try {
        return await watch.effect(grant, call, isReply, lease)
      } catch (error) {
        throw toAuthError(error)
      }
    }
    // A feed connection introspects its token again once the hub would tell it of a revocation.
    if (request.ws) {
      return { act, keepResponse: () => undefined }
    }
    const admission = new Admission(grant, watch, {
      raw: request.raw,
      reply,
      kind: 'response',
      lease,
    })
    request[admissionOf] = { admission, lease }
    if (request.raw.socket.destroyed) {
      admission.release()
    } else {
      this.#running++
      reply.raw.once('close', () => {
        this.#running--
        admission.release()
      })
    }
    return { act, keepResponse: () => admission.release() }
  }
}

/** Decorates the app with `callers`, and replaces responses to requests whose token has ended. */
export const admitCallers = plugin(
  async (app: FastifyInstance, options: CallersOptions) => {
    const callers = new Callers(options)
    app.decorate('callers', callers)
    app.decorateRequest(admissionOf, null)
    app.addHook('onSend', (request, reply, payload, done) => {
      const refusal = callers.refusal(request)
      if (refusal === undefined) {
        done()
        return
      }
      if (payload instanceof Readable) {
        payload.destroy()
      }
      for (const name of responseHeaders) {
        reply.removeHeader(name)
      }
      const { headers = {}, ...error } = answerable(refusal, translate)
      const isOAuth = request.routeOptions.url?.startsWith('/oauth/') ?? false
      reply
        .code(error.statusCode)
        .headers(headers)
        .type(isOAuth ? 'application/json' : 'application/problem+json')
      done(null, JSON.stringify(isOAuth ? oauthErrorOf(error) : problemOf(request, error)))
    })
  },
  { name: 'admit-callers' },
)

/** Returns true if the error is the registry's own reply, so that no script is still running. */
function isReply(error: unknown): boolean {
  return error instanceof RegistryError && error.code !== 'registry_unavailable'
}

/** Returns undefined for a token that has ended, and throws any other error. */
function notActive(error: unknown): undefined {
  if (error instanceof GateError && error.code === 'invalid_token') {
    return undefined
  }
  throw toAuthError(error)
}

function toAuthError(error: unknown): unknown {
  if (!(error instanceof GateError)) {
    return error
  }
  return error.code === 'invalid_token' ? tokenEnded() : noLease()
}

function tokenEnded(): AuthError {
  return new AuthError('invalid_token', 'the token is no longer valid; get a new one', {
    headers: { 'www-authenticate': 'Bearer realm="portcullis", error="invalid_token"' },
  })
}

function noLease(): RegistryError {
  return new RegistryError(
    'registry_unavailable',
    'this instance has no lease from the registry; check that Redis answers in time',
  )
}
