import type { Identity } from '@portcullis/contracts/identities'
import { addressOf } from '@portcullis/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { noteActor, noteClaimedActor } from '../audit/note-actor.js'
import { AuthError } from '../errors.js'
import { authenticate, guard, type Registry, RegistryError } from '../registry/index.js'
import { authenticateByAssertion, claimedBy } from './assertion.js'
import { credentials, invalidClient, type ShownCredentials } from './credentials.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * The identity whose credentials a request shows.
     *
     * @throws AuthError `invalid_request`, `invalid_client`, `unauthorized_client` when it is
     * suspended, `too_many_requests` for what is not right after too many failures from one address
     * @throws RegistryError `registry_unavailable`, `too_many_wrong_codes`
     */
    authenticateClient(request: FastifyRequest, form: ShownCredentials['form']): Promise<Identity>
  }
}

export interface ClientOptions {
  registry: Registry
  issuer: string
  /** Failures that one address may make, at all instances together. */
  failuresPerMinute: number
}

/**
 * Client authentication at the OAuth endpoints. Two limits, both in Redis: the failures of an address,
 * whatever identities they name, which a success does not forget (who has one identity of his own could
 * go on for ever); and the wrong codes of an identity from an address, as `authenticate` says. Neither
 * refuses what is right, whoever has failed at the same address. Past the limit of its address a
 * failure is told to wait, and leaves nothing behind in Redis. Without Redis nobody is authenticated.
 * Needs @fastify/rate-limit, which does the counting, and limit-requests.
 */
export const client = plugin(
  async (app: FastifyInstance, { registry, issuer, failuresPerMinute }: ClientOptions) => {
    const failures = app.createRateLimit({
      max: failuresPerMinute,
      timeWindow: 60_000,
      keyGenerator: (request) => `failures:${addressOf(request)}`,
    })

    /** The seconds until the address may fail again; 0 when it may now. */
    async function waitOf(request: FastifyRequest): Promise<number> {
      const counted = await guard(failures(request, { increment: false }))
      if (counted.isAllowed || counted.remaining > 0) {
        return 0
      }
      return Math.max(1, counted.ttlInSeconds)
    }

    app.decorate('authenticateClient', async (request, form) => {
      const waitSeconds = await waitOf(request)
      let found: Identity
      try {
        const shown = credentials({ authorization: request.headers.authorization, form })
        const identity = 'assertion' in shown ? claimedBy(shown.assertion) : shown.identity
        if (identity !== undefined) {
          noteClaimedActor(request, { identity })
        }
        found =
          'assertion' in shown
            ? await authenticateByAssertion(registry, issuer, shown)
            : (
                await authenticate(registry, shown.identity, shown.code, {
                  from: addressOf(request),
                  counts: waitSeconds === 0,
                })
              ).identity
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
  { name: 'client', dependencies: ['@fastify/rate-limit', 'limit-requests'] },
)

/** Whether an error says that what was shown is not right. */
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
    'wrong credentials, after too many failed authentications from this address; wait',
    { headers: { 'retry-after': String(waitSeconds) } },
  )
}

/** An error of the registry as it is answered; others as they are. */
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
