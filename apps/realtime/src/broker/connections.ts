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

/** Connects both. On failure neither stays open; rejects with the error of the client library. */
export async function connectBoth(
  url: string,
  onError: (error: Error) => void,
): Promise<CommandConnections> {
  const commands = connectCommands({ url, name: 'realtime', onError })
  const bulk = connectCommands({ url, name: 'realtime-bulk', onError })
  try {
    await Promise.all([commands.connect(), bulk.connect()])
    return { commands, bulk }
  } catch (error) {
    await closeBoth({ commands, bulk })
    throw error
  }
}

export async function closeBoth({ commands, bulk }: CommandConnections): Promise<void> {
  await Promise.all([close(commands), close(bulk)])
}

export interface WatchConnectionsOptions {
  url: string
  /** Interval of the probes of each connection, and the time that Redis has for its reply, in milliseconds. */
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
