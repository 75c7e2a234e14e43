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
import { type ActiveToken, introspect } from '../tokens/introspect.js'
import { activeAnswer } from '../tokens/introspection.js'
import type { Jwt } from '../tokens/jwt.js'

/** Headers that describe an answer, which another one takes the place of. */
const answerHeaders = ['location', 'content-disposition', 'content-length', 'etag'] as const

export interface CallersOptions {
  registry: Registry
  jwt: Jwt
  watch: Watch
  /** The lease that the callers of a partition depend on. */
  lease(partition: number): Pick<Lease, 'held' | 'leftMs'>
}

/** What a request may do with the token that it has shown. */
export interface Authority {
  /**
   * Does something for the caller: checks the token and the lease, and calls `work` in the same
   * synchronous step, with a registry whose scripts Redis refuses after a deadline. Every write that a
   * caller asks for goes through this, however long ago the request was admitted.
   *
   * @throws AuthError `invalid_token` when the token has ended since
   * @throws RegistryError `registry_unavailable` without a lease; and whatever `work` throws
   */
  act<Result>(work: (registry: Registry) => Promise<Result>): Promise<Result>
  /**
   * Lets the answer out although the token has ended: the answer to a revocation that covers the
   * caller's own token.
   */
  keepAnswer(): void
}

/**
 * The tokens of those who call auth, from the question whether a token is active until its request is
 * answered. A revocation ends them here as it ends connections at a node.
 */
export class Callers {
  readonly #options: CallersOptions
  readonly #before: (until: number) => Registry
  readonly #admissions = new WeakMap<
    FastifyRequest,
    { admission: Admission; lease: Pick<Lease, 'held'> }
  >()

  constructor(options: CallersOptions) {
    this.#options = options
    this.#before = deadlines(options.registry)
  }

  /** How many tokens of requests under way are watched. */
  get size(): number {
    return this.#options.watch.size
  }

  /**
   * Introspects the token of a request, and watches it from before the question on. Resolves to
   * undefined when the token is not active.
   *
   * @throws RegistryError `registry_unavailable`
   */
  async admit(
    request: FastifyRequest,
    reply: FastifyReply,
    token: string,
  ): Promise<(ActiveToken & { authority: Authority }) | undefined> {
    const { registry, jwt, watch } = this.#options
    try {
      const mark = watch.begin()
      try {
        const [active] = await introspect(registry, jwt, [token])
        if (active === undefined) {
          return undefined
        }
        const grant = watch.register(activeAnswer(active), token, mark)
        return { ...active, authority: this.#admitted(request, reply, grant) }
      } finally {
        watch.finish(mark)
      }
    } catch (error) {
      if (error instanceof GateError && error.code === 'invalid_token') {
        return undefined
      }
      throw translated(error)
    }
  }

  /** Returns the error to answer a request with instead, if its token has ended or the lease is out. */
  refusal(request: FastifyRequest): AuthError | RegistryError | undefined {
    const admitted = this.#admissions.get(request)
    if (admitted === undefined || !admitted.admission.ownedByGate) {
      return undefined
    }
    if (admitted.admission.grant.ended !== undefined) {
      return ended()
    }
    return admitted.lease.held ? undefined : withoutLease()
  }

  #admitted(request: FastifyRequest, reply: FastifyReply, grant: LiveGrant): Authority {
    const { registry, watch } = this.#options
    const lease = this.#options.lease(partitionOf(grant.identity, registry.partitions))
    if (!lease.held) {
      throw withoutLease()
    }
    const act: Authority['act'] = async (work) => {
      const call = (until: number) => work(this.#before(until))
      try {
        return await watch.effect(grant, call, isOver, lease)
      } catch (error) {
        throw translated(error)
      }
    }
    // A feed connection asks again whether its token is active, once the hub would tell it.
    if (request.ws) {
      return { act, keepAnswer: () => undefined }
    }
    const admission = new Admission(grant, watch, {
      raw: request.raw,
      reply,
      kind: 'response',
      lease,
    })
    this.#admissions.set(request, { admission, lease })
    reply.raw.once('close', () => admission.release())
    if (request.raw.socket.destroyed) {
      admission.release()
    }
    return { act, keepAnswer: () => admission.release() }
  }
}

/** Decorates the app with `callers`, and sees to it that no answer leaves for a token that has ended. */
export const admitCallers = plugin(
  async (app: FastifyInstance, options: CallersOptions) => {
    const callers = new Callers(options)
    app.decorate('callers', callers)
    app.addHook('onSend', async (request, reply, payload) => {
      const refusal = callers.refusal(request)
      if (refusal === undefined) {
        return payload
      }
      if (payload instanceof Readable) {
        payload.destroy()
      }
      for (const name of answerHeaders) {
        reply.removeHeader(name)
      }
      const { headers = {}, ...error } = answerable(refusal, translate)
      const isOAuth = request.routeOptions.url?.startsWith('/oauth/') ?? false
      reply
        .code(error.statusCode)
        .headers(headers)
        .type(isOAuth ? 'application/json' : 'application/problem+json')
      return JSON.stringify(isOAuth ? oauthErrorOf(error) : problemOf(request, error))
    })
  },
  { name: 'admit-callers' },
)

/** The registry has answered each script of what was done: none is under way any more. */
function isOver(error: unknown): boolean {
  return error instanceof RegistryError && error.code !== 'registry_unavailable'
}

function translated(error: unknown): unknown {
  if (!(error instanceof GateError)) {
    return error
  }
  return error.code === 'invalid_token' ? ended() : withoutLease()
}

function ended(): AuthError {
  return new AuthError('invalid_token', 'the token is not valid any more; get a new one', {
    headers: { 'www-authenticate': 'Bearer realm="portcullis", error="invalid_token"' },
  })
}

function withoutLease(): RegistryError {
  return new RegistryError(
    'registry_unavailable',
    'this instance has no lease from the registry; check that Redis answers in time',
  )
}
