import { awaitReady } from './await-ready.js'
import { type Child, startChild } from './child.js'

/** A running service that is ready. */
export interface Service {
  readonly child: Child
  /** `http://host:port` */
  readonly url: string
}

export interface StartServiceOptions {
  /** Absolute path of the service's program. */
  program: string
  /** Shown in messages, for example `realtime-8000`. */
  name: string
  host: string
  port: number
  logFile: string
  /** Settings besides HOST and PORT. They override our environment. */
  settings: Readonly<Record<string, string>>
  /** Restart the service when one of its files changes. */
  watch?: boolean
  /** Called with the process when it has started, before it is ready. */
  onChild?: (child: Child) => void
}

/** Settings that a service never inherits from our environment. */
const ownSettings = [
  'INTERNAL_PORT',
  'ADMIN_REGISTRATION_CODE',
  'REGISTRATION_CODE',
  'NODE_NAME',
  'PUBLIC_URL',
  'ISSUER',
  'AUTH_URL',
  'REDIS_URL',
]

/**
 * Starts the program of a service and waits until it is ready.
 *
 * @throws LocalError `process_failed` with the service's last log lines; then nothing is left running.
 */
export async function startService(options: StartServiceOptions): Promise<Service> {
  const { program, name, host, port, logFile, settings } = options
  const url = `http://${host}:${port}`
  const child = await startChild({
    name,
    command: process.execPath,
    args: [...(options.watch ? ['--watch', '--watch-preserve-output'] : []), program],
    // No load balancer stands before the services of one machine.
    env: {
      SHUTDOWN_DELAY_MS: '0',
      ...inherited(),
      INTERNAL_PORT: '0',
      ...settings,
      HOST: host,
      PORT: `${port}`,
    },
    logFile,
  })
  options.onChild?.(child)
  try {
    await awaitReady(child, url)
    return { child, url }
  } catch (error) {
    await child.stop()
    throw error
  }
}

function inherited(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const name of ownSettings) {
    delete env[name]
    delete env[`${name}_FILE`]
  }
  return env
}
