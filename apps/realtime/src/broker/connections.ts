import { defined } from '@portcullis/contracts/defined'
import {
  type Commands,
  close,
  connectCommands,
  followMasters,
  type Masters,
  probe,
} from '@portcullis/redis'

/** A node's connections for commands to one Redis, or to each master of a Cluster. */
export interface CommandConnections {
  readonly commands: Commands
  /** Carries long replies, so that publications do not wait behind them. */
  readonly bulk: Commands
}

export interface CommandConnectionsOptions {
  url: string
  onError: (error: Error) => void
  /** Called with the milliseconds that a command took, for some commands. */
  onReply?: (ms: number) => void
}

/** Makes both, not connected yet. @throws RedisUrlError */
export function commandConnections({
  url,
  onError,
  onReply,
}: CommandConnectionsOptions): CommandConnections {
  return {
    commands: connectCommands({ url, name: 'realtime', onError, ...defined({ onReply }) }),
    bulk: connectCommands({ url, name: 'realtime-bulk', onError }),
  }
}

export async function connectBoth({ commands, bulk }: CommandConnections): Promise<void> {
  await Promise.all([commands.connect(), bulk.connect()])
}

export async function closeBoth({ commands, bulk }: CommandConnections): Promise<void> {
  await Promise.all([close(commands), close(bulk)])
}

export interface WatchConnectionsOptions {
  url: string
  /**
   * Interval of the probes of each connection, and the time that Redis has for its reply, in
   * milliseconds.
   */
  probeMs: number
  onError: (error: Error) => void
}

/** Follows the masters behind the connections, and probes the connections until `stop`. */
export function watchConnections(
  { commands, bulk }: CommandConnections,
  { url, probeMs, onError }: WatchConnectionsOptions,
): { masters: Masters; stopProbes: () => void } {
  const masters = followMasters(commands, { url, onError })
  const stops = [probe(commands, probeMs), probe(bulk, probeMs)]
  return {
    masters,
    stopProbes: () => {
      for (const stop of stops) {
        stop()
      }
    },
  }
}
