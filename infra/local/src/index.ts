export { bundleOf } from './checkout.js'
export { LocalError, type LocalErrorCode } from './errors.js'
export type { Answer, Credentials } from './identities/administrator.js'
export { type PrivateRedis, type StartRedisOptions, startRedis } from './redis/start-redis.js'
export type { Api } from './testing/api.js'
export { type Authority, type Certificate, makeAuthority } from './testing/certificates.js'
export { type RedisServer, type StartServerOptions, startServer } from './testing/redis/server.js'
export {
  type ClusterOptions,
  type RedisCluster,
  startCluster,
} from './testing/redis/start-cluster.js'
export {
  type SentinelRedis,
  type SentinelsOptions,
  startSentinels,
} from './testing/redis/start-sentinels.js'
export { type AuthProcess, type StartAuthOptions, startAuth } from './testing/start-auth.js'
export {
  type IdentityClient,
  type Installation,
  type InstallationOptions,
  startInstallation,
} from './testing/start-installation.js'
export type { ServiceProcess } from './testing/start-process.js'
export {
  type RealtimeProcess,
  type StartRealtimeOptions,
  startRealtime,
} from './testing/start-realtime.js'
export type { Teardown } from './testing/teardown.js'
export { testRedis } from './testing/test-redis.js'
export { unboundedParts } from './testing/unbounded-parts.js'
