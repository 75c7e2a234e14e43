import type { FastifyInstance } from 'fastify'
import { awaitReplicas } from '../../registry/index.js'

/** A revocation's answer may take so long for its replicas, in milliseconds, without `wait`. */
const replicasWithinMs = 1000

/**
 * Waits for the replicas that the request asks for, else for as many as the installation has set.
 * At most a second, or the request's `wait` if that is longer.
 */
export async function awaitAskedReplicas(
  app: FastifyInstance,
  id: string,
  { replicas = app.revocationReplicas, wait = 0 }: { replicas?: number; wait?: number } = {},
): Promise<void> {
  if (replicas === 0) return
  const have = await awaitReplicas(app.registry, app.waiting, id, {
    asked: replicas,
    withinMs: Math.max(replicasWithinMs, wait),
  })
  if (have < replicas) app.meters.revocationsUnderReplicated.inc()
}
