import type { FastifyInstance } from 'fastify'
import { type Caller, requireCovered } from '../../callers/caller.js'
import { getIdentity } from '../../registry/index.js'

/**
 * Refuses a caller that acts on an identity with scopes beyond the caller's own. By adding a code the
 * caller could authenticate as that identity; by suspending it, lock out its superiors.
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
