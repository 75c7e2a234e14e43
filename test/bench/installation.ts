import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleOf, startAuth, startRealtime, startRedis } from '@portcullis/local'
import { Pool } from 'undici'
import type { Stage } from './stage.js'

/** Portcullis as in production, on a private Redis: auth and realtime nodes. */
export interface Installation {
  redis: { pid: number; url: string }
  auth: { pid: number; url: string; output(): string }
  realtime: readonly RealtimeNode[]
  /** Starts another node, which is not in `realtime`. */
  startNode(): Promise<RealtimeNode>
  /** Registers another identity, whose backend issues tokens for its users. */
  newIdentity(): Promise<Backend>
  /** Sends a POST request to auth as the administrator. */
  api(path: string, body: object): Promise<Record<string, unknown>>
  /** Sends a GET request to auth as the administrator. */
  get(path: string): Promise<Record<string, unknown>>
  /** Registers a service and returns its own token. */
  newService(name: string, scopes: readonly string[]): Promise<string>
}

/** An application's backend. */
export interface Backend {
  identity: string
  /** Issues `count` tokens for any channel, each for another subject. */
  tokens(count: number): Promise<string[]>
}

export interface RealtimeNode {
  pid: number
  wsUrl: string
  output(): string
}

/** Healthy services log nothing at this level. */
const quiet = { LOG_LEVEL: 'warn' }

export const prefix = 'bench'

/** Starts Redis, auth and `nodes` realtime nodes. */
export async function startInstallation(
  stage: Stage,
  {
    nodes,
    authEnv = {},
    realtimeEnv = {},
  }: {
    nodes: number
    authEnv?: Record<string, string>
    realtimeEnv?: Record<string, string>
  },
): Promise<Installation> {
  const dir = await mkdtemp(join(tmpdir(), 'portcullis-bench-'))
  await stage.add(() => rm(dir, { recursive: true, force: true }))
  // Durable, as in production: a revocation is on disk before it is confirmed.
  const redis = await startRedis({ dir, durable: true })
  await stage.add(() => redis.stop())
  const auth = await startAuth({
    redisUrl: redis.url,
    prefix,
    env: { ...quiet, ...authEnv },
    program: bundleOf('auth'),
  })
  await stage.add(() => auth.stop())

  const pool = new Pool(auth.url, { connections: 8 })
  await stage.add(() => pool.destroy())
  const admin = await accessToken(pool, auth.admin)
  const api = (path: string, body: object) => post(pool, path, admin, body)
  const get = (path: string) => ask(pool, path, admin)

  const service = await register(api, 'realtime', ['introspect', 'feed'])
  const startNode = async (): Promise<RealtimeNode> => {
    const node = await startRealtime({
      redisUrl: redis.url,
      prefix,
      authUrl: auth.url,
      credentials: service,
      env: { ...quiet, ...realtimeEnv },
      program: bundleOf('realtime'),
    })
    await stage.add(() => node.stop())
    return node
  }
  const realtime: RealtimeNode[] = []
  for (let index = 0; index < nodes; index += 1) {
    realtime.push(await startNode())
  }

  let identities = 0
  const newIdentity = async (): Promise<Backend> => {
    identities += 1
    const scopes = ['tokens:issue', 'subscribe:*', 'publish:*']
    const credentials = await register(api, `backend-${identities}`, scopes)
    const issuer = await accessToken(pool, credentials)
    return {
      identity: credentials.identity,
      tokens: (count) => issueTokens(pool, issuer, count),
    }
  }
  const newService = async (name: string, scopes: readonly string[]) =>
    accessToken(pool, await register(api, name, scopes))
  return { redis, auth, realtime, startNode, api, get, newIdentity, newService }
}

interface Credentials {
  identity: string
  registrationCode: string
}

async function register(
  api: Installation['api'],
  name: string,
  scopes: readonly string[],
): Promise<Credentials> {
  const answer = await api('/v1/identities', { identity: name, scopes })
  return { identity: name, registrationCode: text(answer, 'registrationCode') }
}

/** Gets the identity's own token (RFC 6749 §4.4). */
async function accessToken(pool: Pool, { identity, registrationCode }: Credentials) {
  const answer = await exchange(pool, '/oauth/token', {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Basic ${Buffer.from(`${identity}:${registrationCode}`).toString('base64')}`,
  })('grant_type=client_credentials')
  return text(answer, 'access_token')
}

/** Issues tokens over several connections, to save time; this is not measured. */
async function issueTokens(pool: Pool, issuer: string, count: number): Promise<string[]> {
  const run = randomBytes(4).toString('hex')
  const tokens: string[] = []
  const issue = async () => {
    while (tokens.length < count) {
      // Reserves the place before the request, so that exactly `count` tokens are issued.
      const place = tokens.push('') - 1
      const answer = await againWhileBusy(() =>
        post(pool, '/v1/tokens', issuer, { subject: `user-${run}-${place}` }),
      )
      tokens[place] = text(answer, 'access_token')
    }
  }
  await Promise.all(Array.from({ length: 8 }, issue))
  return tokens
}

/** Repeats a request that auth refused because its registry was slow, which a busy disk makes it. */
async function againWhileBusy<T>(request: () => Promise<T>): Promise<T> {
  for (let left = 10; ; left -= 1) {
    try {
      return await request()
    } catch (error) {
      if (
        left === 0 ||
        !(error instanceof Error && error.message.includes('registry_unavailable'))
      ) {
        throw error
      }
    }
  }
}

function post(pool: Pool, path: string, token: string, body: object) {
  return exchange(pool, path, {
    'content-type': 'application/json',
    authorization: `Bearer ${token}`,
  })(JSON.stringify(body))
}

function exchange(pool: Pool, path: string, headers: Record<string, string>) {
  return (body: string) => answerOf(pool, { method: 'POST', path, headers, body })
}

function ask(pool: Pool, path: string, token: string) {
  return answerOf(pool, { method: 'GET', path, headers: { authorization: `Bearer ${token}` } })
}

async function answerOf(
  pool: Pool,
  request: { method: 'GET' | 'POST'; path: string; headers: Record<string, string>; body?: string },
): Promise<Record<string, unknown>> {
  const answer = await pool.request(request)
  const content = await answer.body.text()
  if (answer.statusCode >= 300) {
    throw new Error(`auth answered ${request.path} with ${answer.statusCode}: ${content}`)
  }
  return JSON.parse(content) as Record<string, unknown>
}

function text(answer: Record<string, unknown>, key: string): string {
  const value = answer[key]
  if (typeof value !== 'string') {
    throw new Error(`auth's answer has no ${key}`)
  }
  return value
}
