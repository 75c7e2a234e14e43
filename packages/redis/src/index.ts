export { close } from './close.js'
export {
  type ConnectionRole,
  type ConnectOptions,
  commandTimeoutMs,
  connect,
  type Redis,
} from './connect.js'
export { PoolBusyError, RedisUrlError } from './errors.js'
export { openPool, type Pool, type PoolOptions } from './pool.js'
export { type Script, script } from './script.js'
