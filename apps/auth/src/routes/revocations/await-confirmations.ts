import type { FastifyInstance } from 'fastify'
import { awaitReplicas, type Committed } from '../../registry/index.js'

/** A revocation's answer may take so long for its replicas, in milliseconds, without `wait`. */
const replicasWithinMs = 1000
/** So long for the instance that answers: without nodes its receipt is complete with that. */
const ownPartWithinMs = 500

/**
 * Waits for this instance's own acknowledgement of a revocation, and for the replicas that the request
 * asks for, else for as many as the installation has set. At most a second, or the request's `wait` if
 * that is longer.
 */
export async function awaitConfirmations(
  app: FastifyInstance,
  { id, parts }: Pick<Committed, 'id' | 'parts'>,
  { replicas = app.revocationReplicas, wait = 0 }: { replicas?: number; wait?: number } = {},
): Promise<void> {
  const own = parts.map(({ partition, us }) =>
    app.ownPart.acknowledged(partition, us, ownPartWithinMs),
  )
  if (replicas > 0) {
    const have = await awaitReplicas(app.registry, app.waiting, id, {
      asked: replicas,
      withinMs: Math.max(replicasWithinMs, wait),
    })
    if (have < replicas) {
      app.meters.revocationsUnderReplicated.inc()
    }
  }
  await Promise.all(own)
}
