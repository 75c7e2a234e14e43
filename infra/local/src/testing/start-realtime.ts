import type { Credentials } from '../identities/administrator.js'
import { type ServiceProcess, startProcess } from './start-process.js'

export interface StartRealtimeOptions {
  redisUrl: string
  /** REDIS_PREFIX */
  prefix: string
  authUrl: string
  /** The node's identity at auth, with scopes `introspect` and `feed`. */
  credentials: Credentials
  /** More settings. They override ours. */
  env?: Readonly<Record<string, string>>
  /** Absolute path of the program; the compiled one by default. */
  program?: string
}

export interface RealtimeProcess extends ServiceProcess {
  /** `ws://127.0.0.1:port/connection/websocket` */
  readonly wsUrl: string
}

/** Starts a realtime node on a free port. Resolves when it is ready. */
export async function startRealtime({
  redisUrl,
  prefix,
  authUrl,
  credentials,
  env = {},
  program,
}: StartRealtimeOptions): Promise<RealtimeProcess> {
  const settings = (url: string) => ({
    REDIS_URL: redisUrl,
    REDIS_PREFIX: prefix,
    AUTH_URL: authUrl,
    IDENTITY: credentials.identity,
    REGISTRATION_CODE: credentials.registrationCode,
    NODE_NAME: `realtime-${new URL(url).port}`,
    PUBLIC_URL: url,
    ...env,
  })
  const running = await startProcess('realtime', settings, program)
  const wsUrl = `${running.url.replace('http:', 'ws:')}/connection/websocket`
  return Object.assign(running, { wsUrl })
}
