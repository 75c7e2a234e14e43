export { checkWrites } from './check-writes.js'
export { close } from './close.js'
export { type Commands, connectCommands, isCluster } from './commands.js'
export {
  type ConnectionRole,
  type ConnectOptions,
  commandTimeoutMs,
  connect,
  type Redis,
} from './connect.js'
export {
  PoolBusyError,
  RedisAwayError,
  RedisClusterError,
  RedisUrlError,
  redisUrlForms,
  ScriptIncludeError,
  shownUrl,
  TooLateError,
} from './errors.js'
export {
  type FollowOptions,
  followMasters,
  type Master,
  type Masters,
  type PerMaster,
  type PerMasterOptions,
  perMaster,
} from './masters.js'
export { openPool, type Pool, type PoolOptions } from './pool.js'
export { probe } from './probe.js'
export { type Script, script } from './script.js'
export { type Deadline, isRefusal, runWithin, ServerClocks } from './server-clocks.js'
export { partitionTag, slotCount, slotOf } from './slots.js'
