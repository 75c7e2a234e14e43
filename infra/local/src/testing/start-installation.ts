import type { RegisteredIdentity } from '@portcullis/contracts/identities'
import type { TokenResponse } from '@portcullis/contracts/tokens'
import { type Answer, apiOf, type Credentials, fetchToken } from '../identities/administrator.js'
import { type Api, typedApi } from './api.js'
import { type AuthProcess, startAuth } from './start-auth.js'
import { type RealtimeProcess, startRealtime } from './start-realtime.js'
import type { Teardown } from './teardown.js'
import { testRedis } from './test-redis.js'

/** A tuple of `N` elements, so that destructuring yields no `undefined`. */
type Exactly<T, N extends number, Taken extends T[] = []> = number extends N
  ? T[]
  : Taken['length'] extends N
    ? Taken
    : Exactly<T, N, [...Taken, T]>

export interface InstallationOptions<N extends number> {
  /** Number of realtime nodes. */
  realtime: N
  /** More settings of every service. They override ours. */
  env?: Readonly<Record<string, string>>
}

export interface Installation<N extends number> {
  auth: AuthProcess
  realtime: Exactly<RealtimeProcess, N>
  redis: { url: string; prefix: string }
  admin: Credentials
  /** Calls auth as the administrator. */
  api: Api
  /** Issues a token of the administrator's identity for the subject. */
  userToken(subject: string, scope: string): Promise<TokenResponse>
  /** Registers an identity and returns a client that calls auth as this identity. */
  identityClient(identity: string, scopes: readonly string[]): Promise<IdentityClient>
}

export interface IdentityClient extends Credentials {
  /** Calls auth as this identity. */
  api: Api
  /** Fetches a new access token of the identity. */
  accessToken(): Promise<string>
}

/** Starts auth and realtime nodes as processes, with a random key prefix. Stops them in teardown. */
export async function startInstallation<const N extends number>(
  t: Teardown,
  { realtime: count, env = {} }: InstallationOptions<N>,
): Promise<Installation<N>> {
  const redis = await testRedis(t)
  const auth = await startAuth({ redisUrl: redis.url, prefix: redis.prefix, env })
  t.teardown(() => auth.stop())
  const { api, admin } = auth
  const identityClient = (identity: string, scopes: readonly string[]) =>
    registerClient(auth, identity, scopes)
  const credentials = await identityClient('realtime', ['introspect', 'feed'])
  const started = await Promise.allSettled(
    Array.from({ length: count }, () =>
      startRealtime({
        redisUrl: redis.url,
        prefix: redis.prefix,
        authUrl: auth.url,
        credentials,
        env,
      }),
    ),
  )
  const realtime = started.flatMap((node) => (node.status === 'fulfilled' ? [node.value] : []))
  t.teardown(() => Promise.all(realtime.map((node) => node.stop())))
  for (const node of started) {
    if (node.status === 'rejected') {
      throw node.reason
    }
  }
  return {
    auth,
    realtime: realtime as Exactly<RealtimeProcess, N>,
    redis,
    admin,
    api,
    identityClient,
    userToken: async (subject, scope) =>
      succeeded(await api('POST', '/v1/tokens', { subject, scope })),
  }
}

async function registerClient(
  auth: AuthProcess,
  identity: string,
  scopes: readonly string[],
): Promise<IdentityClient> {
  const answer = await auth.api('POST', '/v1/identities', { identity, scopes })
  const { registrationCode }: RegisteredIdentity = succeeded(answer)
  const credentials = { identity, registrationCode }
  return {
    ...credentials,
    api: typedApi(apiOf(auth.url, credentials)),
    async accessToken() {
      const token = await fetchToken(auth.url, credentials)
      if (token === undefined) {
        throw new Error(`auth gives ${identity} no token`)
      }
      return token
    },
  }
}

function succeeded<Body>({ status, body }: Answer<Body>): Body {
  if (status < 300) {
    return body
  }
  throw new Error(`auth answered ${status}: ${JSON.stringify(body)}`)
}
