import { type Child, startChild } from '../child.js'
import type { Stage } from '../stage.js'
import type { SwarmAnswer, SwarmCall } from './swarm-calls.js'

export type Swarm = Child<SwarmCall, SwarmAnswer>

/** Starts a process with client sockets. Its CPU is not measured. */
export function startSwarm(stage: Stage): Promise<Swarm> {
  return startChild(stage, new URL('./swarm.js', import.meta.url))
}
