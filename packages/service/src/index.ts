// Adds the types of route descriptions (`summary`, `tags`, `hide`).
import '@fastify/swagger'

export {
  addressOf,
  clientAddressOf,
  trustProxy,
  type WarnOfProxyOptions,
  warnOfProxy,
} from './address.js'
export { answerClientError } from './answer-client-error.js'
export { type ClosingOptions, closing, shutdownSettings } from './closing.js'
export { ConfigError, type Environment, loadConfig } from './config.js'
export { describeWebSocket, type WebSocketDescription } from './describe-web-socket.js'
export {
  type DocumentationOptions,
  documentation,
  type SecurityRequirement,
} from './documentation.js'
export { type HealthOptions, health, type ReadyCheck } from './health.js'
export { type InternalOptions, internal, internalSettings } from './internal.js'
export { type LogLevel, loggerOptions } from './logger.js'
export { Durations, durationBounds } from './metrics/durations.js'
export type { Family } from './metrics/family.js'
export { Instruments, type LabelValues } from './metrics/instruments.js'
export { type MetricsOptions, metrics } from './metrics/metrics.js'
export {
  type AnswerableError,
  answerable,
  answerFrameworkError,
  type ProblemsOptions,
  problemOf,
  problems,
} from './problems.js'
export { requireOneHost } from './require-one-host.js'
export { type RunOptions, run, type ServiceSettings } from './run.js'
export { type SecurityHeadersOptions, securityHeaders } from './security-headers.js'
export { type ServerTls, serverTls, type TlsSettings, tlsSettings } from './tls.js'
export { countWorkers, workersSetting } from './workers/count-workers.js'
export type { WorkerPlace } from './workers/place.js'
