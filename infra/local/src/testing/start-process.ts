import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getPort from 'get-port'
import { type App, mainOf } from '../checkout.js'
import { LocalError } from '../errors.js'
import { awaitReady } from '../processes/await-ready.js'
import { type Service, startService } from '../processes/start-service.js'

/** A process of a service in a test. */
export interface ServiceProcess {
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** Process id; changes with a restart. */
  readonly pid: number
  /** Returns the logs of this process and of those before a restart. */
  output(): string
  /** Resolves when the service is ready. */
  ready(): Promise<void>
  /** Sends SIGTERM. Resolves when the process has ended. */
  stop(): Promise<void>
  /** Sends SIGTERM. Resolves with `exit code 0` or similar. `restart` may follow. */
  end(): Promise<string>
  /** Sends SIGKILL. Resolves when the process has ended. */
  kill(): Promise<void>
  /** Starts the service again on the same port. Resolves when it is ready. */
  restart(): Promise<void>
}

const host = '127.0.0.1'

/** Options of the test's own process are not for services. */
const noNodeOptions = { NODE_OPTIONS: '' }

/** How long an orderly end may take until the process is killed, in milliseconds. */
const endMs = 60_000

/** Starts a service on a free port, and waits until it is ready. `program` is an absolute path. */
export async function startProcess(
  app: App,
  settings: (url: string) => Readonly<Record<string, string>>,
  program = mainOf(app),
): Promise<ServiceProcess> {
  const dir = mkdtempSync(join(tmpdir(), `portcullis-${app}-`))
  const logFile = join(dir, `${app}.log`)
  const start = (port: number) =>
    startService({
      program,
      name: `${app}-${port}`,
      host,
      port,
      logFile,
      settings: { ...noNodeOptions, ...settings(`http://${host}:${port}`) },
    })
  const first = await onFreePort(start).catch((error: unknown) => {
    rmSync(dir, { recursive: true, force: true })
    throw error
  })
  const port = Number(new URL(first.url).port)
  let service: Service = first
  let earlier = ''
  const remember = () => {
    earlier += service.child.output()
  }
  return {
    url: first.url,
    get pid() {
      return service.child.pid
    },
    output: () => (service.child.hasEnded() ? earlier : earlier + service.child.output()),
    ready: () => awaitReady(service.child, first.url),
    async stop() {
      await end(service.child, () => service.child.stop(), remember)
      rmSync(dir, { recursive: true, force: true })
    },
    async end() {
      await end(service.child, () => service.child.stop(endMs), remember)
      return service.child.ended
    },
    kill: () => end(service.child, () => service.child.kill(), remember),
    async restart() {
      await end(service.child, () => service.child.stop(), remember)
      service = await start(port)
    },
  }
}

/** Retries, because another program may take a free port before the service listens on it. */
async function onFreePort(start: (port: number) => Promise<Service>): Promise<Service> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await getPort({ host }))
    } catch (error) {
      const taken =
        error instanceof LocalError &&
        error.details.some((line) => /EADDRINUSE|port \d+ is taken/.test(line))
      if (!taken || attempt === 5) {
        throw error
      }
    }
  }
}

async function end(
  child: Service['child'],
  how: () => Promise<void>,
  remember: () => void,
): Promise<void> {
  if (child.hasEnded()) {
    return
  }
  await how()
  remember()
}
