/** Every connection of a pool is lent, and none came back in time. */
export class PoolBusyError extends Error {
  readonly code = 'REDIS_POOL_BUSY'
  constructor() {
    super('every connection is busy')
    this.name = 'PoolBusyError'
  }
}

/** The URL is none that we can connect to. The message leaves out any password. */
export class RedisUrlError extends Error {
  readonly code = 'REDIS_URL_INVALID'
  constructor(url: string) {
    const shown = url.replace(/\/\/[^@/]*@/, '//…@')
    super(
      `"${shown}" is not a Redis URL; use redis://host:port/db, rediss://host:port/db or unix:///path?db=0`,
    )
    this.name = 'RedisUrlError'
  }
}
