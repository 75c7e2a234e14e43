import type { Identity } from '@portcullis/contracts'
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
     * suspended, `too_many_requests` after too many failures from one address
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
 * go on for ever); and the wrong codes of an identity from an address, as `authenticate` says. Without
 * Redis nobody is authenticated. Needs @fastify/rate-limit, which does the counting, and limit-requests.
 */
export const client = plugin(
  async (app: FastifyInstance, { registry, issuer, failuresPerMinute }: ClientOptions) => {
    const failures = app.createRateLimit({
      max: failuresPerMinute,
      timeWindow: 60_000,
      keyGenerator: (request) => `failures:${addressOf(request)}`,
    })

    async function refuseAfterFailures(request: FastifyRequest): Promise<void> {
      const counted = await guard(failures(request, { increment: false }))
      if (counted.isAllowed || counted.remaining > 0) return
      throw new AuthError('too_many_requests', 'too many failed authentications; wait', {
        headers: { 'retry-after': String(Math.max(1, counted.ttlInSeconds)) },
      })
    }

    app.decorate('authenticateClient', async (request, form) => {
      await refuseAfterFailures(request)
      let found: Identity
      try {
        const shown = credentials({ authorization: request.headers.authorization, form })
        const identity = 'assertion' in shown ? claimedBy(shown.assertion) : shown.identity
        if (identity !== undefined) noteClaimedActor(request, { identity })
        found =
          'assertion' in shown
            ? await authenticateByAssertion(registry, issuer, shown)
            : (await authenticate(registry, shown.identity, shown.code, addressOf(request)))
                .identity
        noteActor(request, found)
      } catch (error) {
        const refusal = refusalOf(error)
        if (refusal.code === 'invalid_client') await guard(failures(request))
        throw refusal
      }
      await app.limitIdentity(request, found.identity)
      return found
    })
  },
  { name: 'client', dependencies: ['@fastify/rate-limit', 'limit-requests'] },
)

function refusalOf(error: unknown): AuthError {
  if (error instanceof RegistryError && error.code === 'invalid_client')
    return invalidClient(error.message)
  if (error instanceof RegistryError && error.code === 'identity_suspended')
    return new AuthError('unauthorized_client', error.message)
  if (error instanceof AuthError) return error
  throw error
}
