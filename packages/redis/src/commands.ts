import { Cluster, type ClusterOptions } from 'ioredis'
import { type ConnectOptions, commandTimeoutMs, connect, type Redis } from './connect.js'
import { RedisAwayError } from './errors.js'
import { retryDelay } from './retry-delay.js'
import { type Address, targetOf } from './url.js'

/** What commands are given to: one server, or a Cluster, which finds the master for each key. */
export type Commands = Redis | Cluster

/** How long the map of a Cluster may be out of date if nothing else tells, in milliseconds. */
const mapAgeMs = 2000

/**
 * Opens a connection for commands of any kind of URL: those of `connect`, and
 * `redis+cluster://[user:password@]host:port,host:port` (`rediss+cluster://` for TLS), some nodes of
 * a Cluster.
 *
 * On a Cluster what `connect` says of commands holds as well: they go to masters alone, fail at once
 * while their master is away or the Cluster is down, and are never sent again when they may have been
 * executed. One that was answered MOVED, ASK or TRYAGAIN was not, and is sent to where it belongs, a
 * few times.
 *
 * @throws RedisUrlError when `url` is none of these forms
 */
export function connectCommands(options: Omit<ConnectOptions, 'role'>): Commands {
  const target = targetOf(options.url)
  if (target.kind !== 'cluster') {
    return connect(options)
  }
  const { name, onError } = options
  const cluster = new CommandCluster(target.nodes, {
    ...clusterOptions,
    redisOptions: {
      ...target.access,
      ...(name === undefined ? {} : { connectionName: name }),
      maxRetriesPerRequest: 0,
      commandTimeout: commandTimeoutMs,
      connectTimeout: commandTimeoutMs,
      autoResendUnfulfilledCommands: false,
    },
  })
  // That no node answers is less than what the last of them said.
  cluster.on('error', (error: Error & { lastNodeError?: Error }) =>
    onError(error.lastNodeError ?? error),
  )
  cluster.on('node error', onError)
  // With ioredis's own timer one that is closed while it asks would go on asking for ever.
  const timer = setInterval(() => {
    if (cluster.status === 'ready') {
      cluster.refreshSlotsCache()
    }
  }, mapAgeMs)
  timer.unref()
  cluster.once('end', () => clearInterval(timer))
  return cluster
}

const clusterOptions: ClusterOptions = {
  lazyConnect: true,
  scaleReads: 'master',
  // Of a node alone, while it is being connected: `CommandCluster` refuses what is sent to nobody.
  enableOfflineQueue: true,
  // A Cluster that is down says so to each command.
  enableReadyCheck: false,
  clusterRetryStrategy: retryDelay,
  maxRedirections: 8,
  // In these cases a command may have been executed, or will not be soon.
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  retryDelayOnTryAgain: 100,
  slotsRefreshTimeout: 1000,
  // As they are: a certificate has the name that the URL or the Cluster has, not its address.
  dnsLookup: (name, callback) => callback(null, name),
}

class CommandCluster extends Cluster {
  override sendCommand(...args: Parameters<Cluster['sendCommand']>): unknown {
    const [command] = args
    // ioredis would keep it until the Cluster is back, however long that takes.
    if (this.status === 'ready' || command.name === 'cluster') {
      return super.sendCommand(...args)
    }
    command.reject(new RedisAwayError())
    return command.promise
  }
}

/** Whether these are a Cluster's. */
export function isCluster(commands: Commands): commands is Cluster {
  return commands.isCluster
}

/** `host:port`, as ioredis writes it. */
export function addressOfKey(key: string): Address {
  const colon = key.lastIndexOf(':')
  return { host: key.slice(0, colon), port: Number(key.slice(colon + 1)) }
}
