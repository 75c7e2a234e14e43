/** Every connection of a pool is lent, and none came back in time. */
export class PoolBusyError extends Error {
  readonly code = 'REDIS_POOL_BUSY'
  constructor() {
    super('every connection is busy')
    this.name = 'PoolBusyError'
  }
}

/** The forms of URLs that we can connect to. */
export const redisUrlForms =
  'redis://host:port/db, rediss://host:port/db, unix:///path?db=0, redis+sentinel://host:port,host:port/<name of the master> or redis+cluster://host:port,host:port (rediss+… with TLS)'

/** The URL is none that we can connect to. The message leaves out any password. */
export class RedisUrlError extends Error {
  readonly code = 'REDIS_URL_INVALID'
  constructor(url: string, problem = '') {
    const why = problem === '' ? '' : ` (${problem})`
    super(`"${shownUrl(url)}" is not a Redis URL${why}; use ${redisUrlForms}`)
    this.name = 'RedisUrlError'
  }
}

/** The URL as people may see it: without user, passwords and parameters, however it is broken. */
export function shownUrl(url: string): string {
  return url.replace(/\?.*$/s, '').replace(/^([a-z+]*:?\/*).*@/is, '$1…@')
}

/** Who needs a connection to one server was given the URL of a Cluster. */
export class RedisClusterError extends Error {
  readonly code = 'REDIS_IS_CLUSTER'
  constructor() {
    super('a Cluster has no single server to connect to; use connectCommands and followMasters')
    this.name = 'RedisClusterError'
  }
}

/** The Cluster's map is not known, or no node of it answers: nothing was sent. */
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

/** A script was not run, since its deadline had passed when Redis got to it. */
export class TooLateError extends Error {
  readonly code = 'REDIS_TOO_LATE'
  constructor() {
    super('Redis got to the script after its deadline, and has not run it')
    this.name = 'TooLateError'
  }
}
