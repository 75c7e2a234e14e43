import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getPort from 'get-port'
import { LocalError } from '../errors.js'
import { awaitReady } from '../processes/await-ready.js'
import { type Service, startService } from '../processes/start-service.js'

/** A service's process in a test. */
export interface ServiceProcess {
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** Of the process that runs now. */
  readonly pid: number
  /** Everything it has written, earlier processes included. */
  output(): string
  /** Waits until it is ready again. */
  ready(): Promise<void>
  /** SIGTERM; settles when it has ended. */
  stop(): Promise<void>
  /** SIGTERM; settles with how it has ended, in words: `exit code 0`. It may be started again. */
  end(): Promise<string>
  /** SIGKILL; settles when it has ended. */
  kill(): Promise<void>
  /** Starts it again, on the same port, after a stop or a kill; settles when it is ready. */
  restart(): Promise<void>
}

const host = '127.0.0.1'

/** tap hooks the module loader of every process below it; one of ours would take twice as long to start. */
const unhooked = { NODE_OPTIONS: '' }

/** What a test asks to end in order is given its time for it; only one that hangs is killed. */
const endMs = 60_000

/** Starts one of our services on a free port and waits until it is ready. */
export async function startProcess(
  app: 'auth' | 'realtime',
  settings: (url: string) => Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const dir = mkdtempSync(join(tmpdir(), `portcullis-${app}-`))
  const logFile = join(dir, `${app}.log`)
  const start = (port: number) =>
    startService({
      app,
      name: `${app}-${port}`,
      host,
      port,
      logFile,
      settings: { ...unhooked, ...settings(`http://${host}:${port}`) },
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

/** Another program may take the port between our looking and the service's listening. */
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
