import type { FastifyInstance } from 'fastify'
import { awaitReplicas, type Committed } from '../../registry/index.js'

/** How long a response waits for replicas, unless the request's `wait` is longer. */
const replicasWithinMs = 1000
/** How long a response waits for this instance's own acknowledgement. */
const ownPartWithinMs = 500

/**
 * Waits for this instance's own acknowledgement of a revocation, which completes the receipt if
 * there are no nodes, and for the replicas that the request asks for, by default the installation's
 * number. Waits at most a second, or the request's `wait` if that is longer.
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
      app.meters.revocationsUnderReplicated += 1
    }
  }
  await Promise.all(own)
}
