import type { FastifyInstance } from 'fastify'
import { type Caller, requireCovered } from '../../callers/caller.js'
import { getIdentity } from '../../registry/index.js'

/**
 * Refuses a caller that would act on an identity which may do more than the caller itself: with a
 * code of it, it could become it; by suspending it, lock those out who are above.
 *
 * @throws AuthError `insufficient_scope`
 * @throws RegistryError `identity_not_found`
 */
export async function requirePowerOver(
  app: Pick<FastifyInstance, 'registry'>,
  caller: Caller,
  identity: string,
): Promise<void> {
  const { scopes } = await getIdentity(app.registry, identity)
  requireCovered(caller, scopes, identity)
}
