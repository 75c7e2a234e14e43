import type { Identity } from '@portcullis/contracts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { noteActor, noteClaimedActor } from '../audit/note-actor.js'
import { AuthError } from '../errors.js'
import { authenticate, type Registry, RegistryError } from '../registry/index.js'
import { authenticateByAssertion, claimedBy } from './assertion.js'
import { credentials, invalidClient, type ShownCredentials } from './credentials.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * The identity whose credentials a request shows.
     *
     * @throws AuthError `invalid_request`, `invalid_client`, `unauthorized_client` when it is
     * suspended, `too_many_requests` after too many failures from one address
     * @throws RegistryError `registry_unavailable`
     */
    authenticateClient(request: FastifyRequest, form: ShownCredentials['form']): Promise<Identity>
  }
}

export interface ClientOptions {
  registry: Registry
  issuer: string
  /** Failures that one address may make. Counted in this process. */
  failuresPerMinute: number
}

/** Client authentication at the OAuth endpoints. Needs @fastify/rate-limit, which does the counting. */
export const client = plugin(
  async (app: FastifyInstance, { registry, issuer, failuresPerMinute }: ClientOptions) => {
    const failures = app.createRateLimit({
      max: failuresPerMinute,
      timeWindow: 60_000,
    })

    async function refuseAfterFailures(request: FastifyRequest): Promise<void> {
      const counted = await failures(request, { increment: false })
      if (counted.isAllowed || counted.remaining > 0) return
      throw new AuthError('too_many_requests', 'too many failed authentications; wait', {
        headers: { 'retry-after': String(Math.max(1, counted.ttlInSeconds)) },
      })
    }

    app.decorate('authenticateClient', async (request, form) => {
      await refuseAfterFailures(request)
      try {
        const shown = credentials({ authorization: request.headers.authorization, form })
        const identity = 'assertion' in shown ? claimedBy(shown.assertion) : shown.identity
        if (identity !== undefined) noteClaimedActor(request, { identity })
        const found =
          'assertion' in shown
            ? await authenticateByAssertion(registry, issuer, shown)
            : (await authenticate(registry, shown.identity, shown.code)).identity
        noteActor(request, found)
        return found
      } catch (error) {
        const refusal = refusalOf(error)
        if (refusal.code === 'invalid_client') await failures(request)
        throw refusal
      }
    })
  },
  { name: 'client', dependencies: ['@fastify/rate-limit'] },
)

function refusalOf(error: unknown): AuthError {
  if (error instanceof RegistryError && error.code === 'invalid_client')
    return invalidClient(error.message)
  if (error instanceof RegistryError && error.code === 'identity_suspended')
    return new AuthError('unauthorized_client', error.message)
  if (error instanceof AuthError) return error
  throw error
}
