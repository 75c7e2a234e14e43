import { Cluster, type ClusterOptions } from 'ioredis'
import { type ConnectOptions, commandTimeoutMs, connect, type Redis } from './connect.js'
import { RedisAwayError } from './errors.js'
import { ReplySampler } from './reply-sampler.js'
import { retryDelay } from './retry-delay.js'
import { type Address, targetOf } from './url.js'

/**
 * A connection that runs commands: to one server, or to a Cluster, where ioredis finds the master
 * for each key.
 */
export type Commands = Redis | Cluster

/** How often the slot map of a Cluster is read without another reason, in milliseconds. */
const mapAgeMs = 2000

/**
 * Opens a connection for commands to any kind of URL: those of `connect`, and
 * `redis+cluster://[user:password@]host:port,host:port` (`rediss+cluster://` for TLS), which names
 * some nodes of a Cluster.
 *
 * On a Cluster commands behave as `connect` describes: they go to masters only, fail at once while
 * their master or the Cluster is down, and are never sent again when they may have been executed. A
 * command that was answered MOVED, ASK or TRYAGAIN was not executed, and is sent to the right
 * master, a few times.
 *
 * @throws RedisUrlError when `url` has another form
 */
export function connectCommands(options: Omit<ConnectOptions, 'role'>): Commands {
  const target = targetOf(options.url)
  if (target.kind !== 'cluster') {
    return connect(options)
  }
  const { name, onError, onReply } = options
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
  if (onReply !== undefined) {
    cluster.sampler = new ReplySampler(onReply)
  }
  // Report the error of the last node; ioredis' own error only says that no node answers.
  cluster.on('error', (error: Error & { lastNodeError?: Error }) =>
    onError(error.lastNodeError ?? error),
  )
  cluster.on('node error', onError)
  // ioredis' own timer would keep a connection running that is closed during a refresh.
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
  // Applies to a node that is connecting; `CommandCluster` refuses commands without a node.
  enableOfflineQueue: true,
  // A Cluster that is down answers each command with an error.
  enableReadyCheck: false,
  clusterRetryStrategy: retryDelay,
  maxRedirections: 8,
  // In these cases a command may have been executed, or the wait would be long.
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  retryDelayOnTryAgain: 100,
  slotsRefreshTimeout: 1000,
  // Keep host names: a certificate has the name that the URL or the Cluster uses, not its address.
  dnsLookup: (name, callback) => callback(null, name),
}

class CommandCluster extends Cluster {
  sampler: ReplySampler | undefined

  override sendCommand(...args: Parameters<Cluster['sendCommand']>): unknown {
    const [command] = args
    // ioredis would queue the command until the Cluster is back.
    if (this.status === 'ready' || command.name === 'cluster') {
      this.sampler?.sent(command)
      return super.sendCommand(...args)
    }
    command.reject(new RedisAwayError())
    return command.promise
  }
}

/** Returns true for a connection to a Cluster. */
export function isCluster(commands: Commands): commands is Cluster {
  return commands.isCluster
}

/** Parses ioredis' name of a node, `host:port`. */
export function addressOfKey(key: string): Address {
  const colon = key.lastIndexOf(':')
  return { host: key.slice(0, colon), port: Number(key.slice(colon + 1)) }
}
