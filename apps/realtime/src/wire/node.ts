import type { Lease } from '@portcullis/gate'
import { disconnectCodes } from '@portcullis/protocol'
import type { Limits, Node } from '../connection/node.js'
import { Deadline } from '../connection/timing/deadline.js'
import { FlushQueue } from '../connection/timing/flush-queue.js'
import { Heartbeat } from '../connection/timing/heartbeat.js'
import { SliceQueue } from '../connection/timing/slice-queue.js'
import { newTraffic } from '../connection/traffic.js'
import { Hold } from '../hub/hold.js'

export interface NodeSettings {
  name: string
  version: string
  pingIntervalMs: number
  pongTimeoutMs: number
  /** Milliseconds from the upgrade to the `connect` command. */
  connectDeadlineMs: number
  /** Milliseconds for which connections wait for a lost lease. */
  leaseGraceMs: number
  /** Time in one turn of the event loop for what remains after closes, in milliseconds. Default: 2. */
  cleanupSliceMs?: number
  limits: Limits
}

const defaultCleanupSliceMs = 2

type Own = 'traffic' | 'hold' | 'flushQueue' | 'cleanups' | 'heartbeat' | 'connectDeadline'
type Settings = 'name' | 'version' | 'pingIntervalMs' | 'limits'

/**
 * The rest of the system as a node's connections see it; tests and the simulation bring their own.
 */
export interface NodeSurroundings extends Omit<Node, Own | Settings> {
  lease: Lease
}

/** Makes the node that connections belong to. */
export function wireNode(settings: NodeSettings, { lease, ...rest }: NodeSurroundings): Node {
  const { name, version, pingIntervalMs, pongTimeoutMs, limits } = settings
  return {
    ...rest,
    name,
    version,
    pingIntervalMs,
    limits,
    hold: new Hold({ lease, hub: rest.hub, graceMs: settings.leaseGraceMs }),
    traffic: newTraffic(),
    flushQueue: new FlushQueue(),
    cleanups: new SliceQueue({ maxSliceMs: settings.cleanupSliceMs ?? defaultCleanupSliceMs }),
    heartbeat: new Heartbeat({ pingIntervalMs, pongTimeoutMs }),
    connectDeadline: new Deadline(settings.connectDeadlineMs, (late) =>
      late.end(disconnectCodes.stale),
    ),
  }
}

/** Stops the timers of a node. */
export function stopNode({ hold, heartbeat, connectDeadline }: Node): void {
  hold.stop()
  heartbeat.stop()
  connectDeadline.stop()
}
