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
import { Recorder } from './recorder.js'
import { type FaultyRedis, startFaultyRedis } from './redis.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'
import { until } from './until.js'

export interface SceneOptions {
  /** How many realtime nodes. */
  nodes: number
  /** Settings of auth, and of the nodes, beside our own. */
  authEnv?: Readonly<Record<string, string>>
  nodeEnv?: Readonly<Record<string, string>>
}

/** A realtime node with every connection of its own in the test's hands. */
export interface SceneNode extends RealtimeProcess {
  /** What receipts call it. */
  readonly name: string
  readonly toAuth: TcpProxy
  readonly toRedis: TcpProxy
}

export interface Scene {
  redis: FaultyRedis
  auth: AuthProcess
  authToRedis: TcpProxy
  nodes: readonly [SceneNode, SceneNode, ...SceneNode[]]
  /** One more node. */
  startNode(): Promise<SceneNode>
  /** Another auth of the same installation, without a node. */
  secondAuth(): Promise<AuthProcess>
  /** A token of one of the administrator's users for every channel, with `more` scopes. */
  tokenFor(subject: string, more?: string): Promise<TokenResponse>
  /** A client with such a token, connected and subscribed. Its end is the test's. */
  client(name: string, node: RealtimeProcess): Promise<Recorder>
}

const prefix = 'faults'

/**
 * Starts a Redis of its own, auth and two realtime nodes or more, as processes, with a proxy on each
 * way between them.
 */
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
    throw new Error('a scene has two nodes or more')
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
      t.teardown(() => recorder.leave())
      return recorder
    },
  }
}

/**
 * SIGSTOP to a node that has nothing to do at that moment; settles when it stands still.
 *
 * Stopped between its look at the clock and its write to a socket, a process would make that one
 * write when it goes on, and nothing in it could prevent that. So what comes from Redis waits
 * meanwhile, and the test has stopped its clients; two answers later the node has read everything.
 */
export async function pause({ pid, url, toRedis }: SceneNode): Promise<void> {
  toRedis.stall('client')
  for (let answers = 0; answers < 2; answers += 1) {
    const { body } = await request(`${url}/health`)
    await body.dump()
  }
  process.kill(pid, 'SIGSTOP')
  await until(`process ${pid} stands still`, () =>
    execFileSync('ps', ['-o', 'state=', '-p', `${pid}`], { encoding: 'utf8' }).startsWith('T')
      ? true
      : undefined,
  )
  toRedis.resume()
}

/** SIGCONT */
export function goOn({ pid }: ServiceProcess): void {
  process.kill(pid, 'SIGCONT')
}

/** Waits for a line in a process's log, behind the first `after` characters; gives the match. */
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

/** The value of a metric, summed over its labels; undefined when there is none of that name. */
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

/** A process that stands still would hear the signal only when it goes on. */
async function stop(service: ServiceProcess): Promise<void> {
  try {
    goOn(service)
  } catch {
    // It has ended.
  }
  await service.stop()
}

function redisUrl({ port }: TcpProxy): string {
  return `redis://127.0.0.1:${port}`
}
