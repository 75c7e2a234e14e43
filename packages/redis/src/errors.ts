/** Every connection of a pool is in use, and none was returned in time. */
export class PoolBusyError extends Error {
  readonly code = 'REDIS_POOL_BUSY'
  constructor() {
    super('every connection of the pool is in use')
    this.name = 'PoolBusyError'
  }
}

/** The URL forms that are supported. */
export const redisUrlForms =
  'redis://host:port/db, rediss://host:port/db, unix:///path?db=0, redis+sentinel://host:port,host:port/<name of the master> or redis+cluster://host:port,host:port (rediss+… with TLS)'

/** The URL is not supported. The message shows no password. */
export class RedisUrlError extends Error {
  readonly code = 'REDIS_URL_INVALID'
  constructor(url: string, problem = '') {
    const why = problem === '' ? '' : ` (${problem})`
    super(`"${shownUrl(url)}" is not a Redis URL${why}; use ${redisUrlForms}`)
    this.name = 'RedisUrlError'
  }
}

/** Returns the URL without user, passwords and parameters, also for a malformed URL. */
export function shownUrl(url: string): string {
  return url.replace(/\?.*$/s, '').replace(/^([a-z+]*:?\/*).*@/is, '$1…@')
}

/** The URL of a Cluster was given where one server is needed. */
export class RedisClusterError extends Error {
  readonly code = 'REDIS_IS_CLUSTER'
  constructor() {
    super('a Cluster has no single server to connect to; use connectCommands and followMasters')
    this.name = 'RedisClusterError'
  }
}

/** The Cluster's slot map is unknown, or no node answers. The command was not sent. */
export class RedisAwayError extends Error {
  readonly code = 'REDIS_AWAY'
  constructor() {
    super('the Cluster cannot be reached')
    this.name = 'RedisAwayError'
  }
}

/** A Lua file includes a file that cannot be read, or files include each other in a circle. */
export class ScriptIncludeError extends Error {
  readonly code = 'REDIS_SCRIPT_INCLUDE'
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ScriptIncludeError'
  }
}

/** A script was not run because its deadline had passed when it reached Redis. */
export class TooLateError extends Error {
  readonly code = 'REDIS_TOO_LATE'
  constructor() {
    super('the script reached Redis after its deadline, and was not run')
    this.name = 'TooLateError'
  }
}
