import { execFileSync } from 'node:child_process'
import type { TokenResponse } from '@portcullis/contracts/tokens'
import {
  type AuthProcess,
  type RealtimeProcess,
  type ServiceProcess,
  startAuth,
  startRealtime,
  type Teardown,
} from '@portcullis/local'
import { request } from 'undici'
import { startTcpProxy, type TcpProxy } from '../network/tcp-proxy.js'
import { Recorder } from '../record/recorder.js'
import { until } from '../until.js'
import { type FaultyRedis, startFaultyRedis } from './redis.js'

export interface SceneOptions {
  /** Number of realtime nodes, 2 or more. */
  nodes: number
  /** Additional settings of auth and of the nodes. */
  authEnv?: Readonly<Record<string, string>>
  nodeEnv?: Readonly<Record<string, string>>
}

/** A realtime node whose connections all pass through proxies. */
export interface SceneNode extends RealtimeProcess {
  /** Name of the node in receipts. */
  readonly name: string
  readonly toAuth: TcpProxy
  readonly toRedis: TcpProxy
}

export interface Scene {
  redis: FaultyRedis
  auth: AuthProcess
  authToRedis: TcpProxy
  nodes: readonly [SceneNode, SceneNode, ...SceneNode[]]
  /** Starts another node. */
  startNode(): Promise<SceneNode>
  /** Starts another auth instance, to which no node connects. */
  secondAuth(): Promise<AuthProcess>
  /** Issues a token for a user: every channel, and `more` scopes. */
  tokenFor(subject: string, more?: string): Promise<TokenResponse>
  /** Connects and subscribes a client with such a token; teardown disconnects it. */
  client(name: string, node: RealtimeProcess): Promise<Recorder>
}

const prefix = 'faults'

/** Starts a private Redis, auth and realtime nodes as processes, with a proxy on every connection. */
export async function startScene(t: Teardown, options: SceneOptions): Promise<Scene> {
  const redis = await startFaultyRedis(t)
  const authToRedis = await startTcpProxy(t, redis.url)
  const { authEnv: env = {}, nodeEnv = {} } = options
  const auth = await startAuth({ redisUrl: redisUrl(authToRedis), prefix, env })
  t.teardown(() => stop(auth))
  const credentials = await register(auth, 'realtime', ['introspect', 'feed'])
  const startNode = async (): Promise<SceneNode> => {
    const [toAuth, toRedis] = await Promise.all([
      startTcpProxy(t, auth.url),
      startTcpProxy(t, redis.url),
    ])
    const node = await startRealtime({
      redisUrl: redisUrl(toRedis),
      prefix,
      authUrl: `http://127.0.0.1:${toAuth.port}`,
      credentials,
      env: nodeEnv,
    })
    t.teardown(() => stop(node))
    return Object.assign(node, { toAuth, toRedis, name: `realtime-${new URL(node.url).port}` })
  }
  const [first, second, ...others] = await Promise.all(
    Array.from({ length: options.nodes }, startNode),
  )
  if (first === undefined || second === undefined) {
    throw new Error('nodes must be 2 or more')
  }
  const tokenFor = async (subject: string, more = '') => {
    const scope = `subscribe:* publish:* ${more}`.trim()
    const { status, body } = await auth.api('POST', '/v1/tokens', { subject, scope })
    if (status !== 201) {
      throw new Error(`no token: ${status} ${JSON.stringify(body)}`)
    }
    return body
  }
  return {
    redis,
    auth,
    authToRedis,
    nodes: [first, second, ...others],
    startNode,
    tokenFor,
    async secondAuth() {
      const other = await startAuth({
        redisUrl: redisUrl(authToRedis),
        prefix,
        env: auth.sharedEnv,
      })
      t.teardown(() => stop(other))
      return other
    },
    async client(name, node) {
      const recorder = await Recorder.open(name, node.wsUrl, await tokenFor(name))
      t.teardown(() => recorder.disconnect())
      return recorder
    },
  }
}

/**
 * Stops an idle node with SIGSTOP; resolves when the process has stopped.
 *
 * A process that is stopped between reading the clock and writing to a socket makes that write when it
 * is resumed, which nothing in the process can prevent. So messages from Redis are held meanwhile, the
 * test has stopped its clients, and after two responses the node has read everything.
 */
export async function pause({ pid, url, toRedis }: SceneNode): Promise<void> {
  toRedis.stall('client')
  for (let answers = 0; answers < 2; answers += 1) {
    const { body } = await request(`${url}/health`)
    await body.dump()
  }
  process.kill(pid, 'SIGSTOP')
  await until(`process ${pid} is stopped`, () =>
    execFileSync('ps', ['-o', 'state=', '-p', `${pid}`], { encoding: 'utf8' }).startsWith('T')
      ? true
      : undefined,
  )
  toRedis.resume()
}

/** Resumes a stopped process with SIGCONT. */
export function resume({ pid }: ServiceProcess): void {
  process.kill(pid, 'SIGCONT')
}

/** Waits for `pattern` in a process's log after its first `after` characters; returns the match. */
export function logged(
  service: ServiceProcess,
  pattern: RegExp,
  after = 0,
): Promise<RegExpMatchArray> {
  return until(
    `the log has ${pattern}`,
    () => service.output().slice(after).match(pattern) ?? undefined,
  )
}

/** Returns the value of a metric, summed over its labels, or undefined when it does not exist. */
export async function metric({ url }: ServiceProcess, name: string): Promise<number | undefined> {
  const { body } = await request(`${url}/metrics`)
  const values = (await body.text())
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0)
}

async function register({ api }: AuthProcess, identity: string, scopes: readonly string[]) {
  const { status, body } = await api('POST', '/v1/identities', { identity, scopes })
  if (status !== 201) {
    throw new Error(`${identity} is not registered: ${status}`)
  }
  return { identity, registrationCode: body.registrationCode }
}

/** Stops a service. A process stopped by SIGSTOP gets the signal only after SIGCONT. */
async function stop(service: ServiceProcess): Promise<void> {
  try {
    resume(service)
  } catch {
    // It has ended.
  }
  await service.stop()
}

function redisUrl({ port }: TcpProxy): string {
  return `redis://127.0.0.1:${port}`
}
