import { setTimeout } from 'node:timers/promises'
import { Server } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { closeOnSignal } from './close-on-signal.js'
import { ConfigError, type Environment } from './config.js'
import { type LogLevel, loggerOptions } from './logger.js'
import { type ServerTls, serverTls, type TlsSettings } from './tls.js'
import { joinPeers, tellPrimary } from './workers/peers.js'
import { placeOf, type WorkerPlace } from './workers/place.js'
import { type SuperviseOptions, supervise } from './workers/supervise.js'

/** How long a worker waits to be ready before it accepts connections, in milliseconds. */
const maxReadyWaitMs = 5000

/** The settings that `run` uses. */
export interface ServiceSettings extends TlsSettings {
  HOST: string
  PORT: number
  INTERNAL_HOST: string
  INTERNAL_PORT?: number
  LOG_LEVEL: LogLevel
  WORKERS: number
  SHUTDOWN_DELAY_MS: number
}

export interface RunOptions<Settings extends ServiceSettings> {
  /** `auth` or `realtime`. */
  service: string
  environment: Environment
  /**
   * Reads the settings.
   * @throws ConfigError
   */
  config: (environment: Environment, place?: WorkerPlace) => Settings
  buildApp: (settings: Settings) => Promise<FastifyInstance>
  /** Returns how long a close may take before the process exits anyway, in milliseconds, after the delay. */
  closeDeadlineMs: (settings: Settings) => number
  /** Returns variables that every worker gets: values that each would choose differently. */
  shared?: (settings: Settings) => Readonly<Record<string, string>>
}

/**
 * Runs a service: listens, and closes the app once on SIGTERM, SIGINT or an uncaught error, within the
 * deadline. On SIGHUP, reads the certificate again for new connections. With WORKERS above 1 the process
 * starts that many processes, which share the port and do all this. If the service cannot start, prints why
 * and exits with 1. Only `main.ts` calls this.
 */
export async function run<Settings extends ServiceSettings>(
  options: RunOptions<Settings>,
): Promise<void> {
  try {
    const place = placeOf(options.environment)
    if (place !== undefined) {
      joinPeers(place)
    }
    const plan = planOf(options, place)
    if ('supervise' in plan) {
      process.exit(await supervise(plan.supervise))
    }
    await serve(options, plan.settings, place)
  } catch (error) {
    failToStart(error)
  }
}

/**
 * Reads the settings, and returns what this process does with them. A process that supervises workers keeps
 * no setting that may be secret.
 */
function planOf<Settings extends ServiceSettings>(
  { service, environment, config, closeDeadlineMs, shared }: RunOptions<Settings>,
  place: WorkerPlace | undefined,
): { settings: Settings } | { supervise: SuperviseOptions } {
  const settings = config(environment, place)
  if (place !== undefined || settings.WORKERS === 1) {
    return { settings }
  }
  return {
    supervise: {
      count: settings.WORKERS,
      environment: shared?.(settings) ?? {},
      closeDeadlineMs: settings.SHUTDOWN_DELAY_MS + closeDeadlineMs(settings),
      renewsOnHangup: serverTls(settings) !== undefined,
      log: pino(loggerOptions(service, settings.LOG_LEVEL)),
    },
  }
}

async function serve<Settings extends ServiceSettings>(
  { environment, config, buildApp, closeDeadlineMs }: RunOptions<Settings>,
  settings: Settings,
  place: WorkerPlace | undefined,
): Promise<void> {
  const app = await buildApp(settings)
  const { server } = app
  closeOnSignal(app, {
    deadlineMs: closeDeadlineMs(settings),
    delayMs: settings.SHUTDOWN_DELAY_MS,
    // Without TLS, SIGHUP ends the process as usual.
    ...(server instanceof Server
      ? { onHangup: () => renew(app, server, () => serverTls(config(environment, place))) }
      : {}),
  })
  if (place !== undefined) {
    await awaitReady(app)
    if (app.closing) {
      return
    }
  }
  const { HOST, PORT, INTERNAL_HOST, INTERNAL_PORT } = settings
  if (INTERNAL_PORT !== undefined && app.internal !== undefined && app.internal !== app) {
    await app.internal.listen({ host: INTERNAL_HOST, port: INTERNAL_PORT })
  }
  await app.listen({ host: HOST, port: PORT })
  if (place !== undefined) {
    tellPrimary({ type: 'serving' })
  }
}

/**
 * Waits until the app is ready, so that no connection reaches a worker that would refuse it while others
 * would accept it. After `maxReadyWaitMs` the reason is outside, and the worker reports it on its port.
 */
async function awaitReady(app: FastifyInstance): Promise<void> {
  await app.ready()
  const end = performance.now() + maxReadyWaitMs
  while (performance.now() < end && !app.closing) {
    if (Object.keys(await app.failingChecks()).length === 0) {
      return
    }
    await setTimeout(20)
  }
}

/** Replaces the certificate; keeps the old one if the new one is invalid. */
function renew(app: FastifyInstance, server: Server, read: () => ServerTls | undefined): void {
  try {
    const tls = read()
    if (tls === undefined) {
      throw new Error('TLS cannot be switched off while the service runs')
    }
    server.setSecureContext(tls)
    app.log.info('TLS certificate read again')
  } catch (err) {
    app.log.error({ err }, 'TLS certificate not renewed; the old one stays')
  }
}

/** Prints why the process cannot start, and exits. */
function failToStart(error: unknown): never {
  const lines = error instanceof ConfigError ? error.problems : [messageOf(error)]
  for (const line of lines) {
    process.stderr.write(`cannot start: ${line}\n`)
  }
  process.exit(1)
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return 'unknown error'
  }
  const { code, port } = error as NodeJS.ErrnoException & { port?: number }
  return code === 'EADDRINUSE'
    ? `port ${port} is taken; choose another with PORT or INTERNAL_PORT`
    : error.message
}
