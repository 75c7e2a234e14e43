import type { Identity } from '@portcullis/contracts/identities'
import { addressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { noteActor, noteClaimedActor } from '../audit/note-actor.js'
import { AuthError } from '../errors.js'
import { authenticate, guard, type Registry, RegistryError } from '../registry/index.js'
import { authenticateByAssertion, claimedIdentity } from './assertion.js'
import {
  type Credentials,
  invalidClient,
  type PresentedCredentials,
  readCredentials,
} from './credentials.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Authenticates the client of a request, and returns its identity.
     *
     * @throws AuthError `invalid_request`; `invalid_client`; `unauthorized_client` when the
     * identity is suspended; `too_many_requests` for wrong credentials after too many failures from
     * one address
     * @throws RegistryError `registry_unavailable`, `too_many_wrong_codes`
     */
    authenticateClient(
      request: FastifyRequest,
      form: PresentedCredentials['form'],
    ): Promise<Identity>
  }
}

export interface AuthenticateClientOptions {
  registry: Registry
  issuer: string
  /** Failed authentications of one address, at all instances together. */
  failuresPerMinute: number
}

/**
 * Authenticates clients of the OAuth endpoints, with two limits in Redis:
 *
 * - the failures of an address, whatever identity each one names. A success does not reset the
 *   count, or an attacker with one valid identity could reset it for ever;
 * - the wrong codes of an identity from an address (see `authenticate`).
 *
 * Neither limit refuses valid credentials. Failures beyond an address's limit are refused with
 * `Retry-After`, and write nothing to Redis. Without Redis, every client is refused.
 */
export const authenticateClient = plugin(
  async (
    app: FastifyInstance,
    { registry, issuer, failuresPerMinute }: AuthenticateClientOptions,
  ) => {
    const failures = app.createRateLimit({
      max: failuresPerMinute,
      timeWindow: 60_000,
      keyGenerator: (request) => `failures:${addressOf(request)}`,
    })

    /** Returns the seconds until the address may fail again; 0 if it may now. */
    async function secondsToWait(request: FastifyRequest): Promise<number> {
      const counted = await guard(failures(request, { increment: false }))
      if (counted.isAllowed || counted.remaining > 0) {
        return 0
      }
      return Math.max(1, counted.ttlInSeconds)
    }

    async function authenticateByCode(
      { identity: name, code }: Credentials,
      request: FastifyRequest,
      counts: boolean,
    ): Promise<Identity> {
      const from = addressOf(request)
      const { identity } = await authenticate(registry, name, code, { from, counts })
      return identity
    }

    app.decorate('authenticateClient', async (request, form) => {
      const waitSeconds = await secondsToWait(request)
      let found: Identity
      try {
        const presented = readCredentials({ authorization: request.headers.authorization, form })
        const identity =
          'assertion' in presented ? claimedIdentity(presented.assertion) : presented.identity
        if (identity !== undefined) {
          noteClaimedActor(request, { identity })
        }
        found =
          'assertion' in presented
            ? await authenticateByAssertion(registry, issuer, presented)
            : await authenticateByCode(presented, request, waitSeconds === 0)
        noteActor(request, found)
      } catch (error) {
        if (!isFailure(error)) {
          throw refusalOf(error)
        }
        if (waitSeconds > 0) {
          throw tooManyFailures(waitSeconds)
        }
        await guard(failures(request))
        throw refusalOf(error)
      }
      await app.limitIdentity(request, found.identity)
      return found
    })
  },
  { name: 'authenticate-client', dependencies: ['@fastify/rate-limit', 'limit-requests'] },
)

/** Returns true if the error means that the credentials are wrong. */
function isFailure(error: unknown): boolean {
  if (error instanceof AuthError) {
    return error.code === 'invalid_client'
  }
  if (!(error instanceof RegistryError)) {
    return false
  }
  return error.code === 'invalid_client' || error.code === 'too_many_wrong_codes'
}

function tooManyFailures(waitSeconds: number): AuthError {
  return new AuthError(
    'too_many_requests',
    'wrong credentials, after too many failed authentications from this address; wait, then try again',
    { headers: { 'retry-after': String(waitSeconds) } },
  )
}

/** Translates the registry's errors; returns other errors unchanged. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof RegistryError)) {
    return error
  }
  if (error.code === 'invalid_client') {
    return invalidClient(error.message)
  }
  if (error.code === 'identity_suspended') {
    return new AuthError('unauthorized_client', error.message)
  }
  return error
}
