import { TokenError, type TokenSource, tokenSource } from '@portcullis/client'
import { defined } from '@portcullis/contracts/defined'
import { briefTokenSeconds } from '@portcullis/contracts/oauth'
import type { IssueToken } from '@portcullis/contracts/tokens'
import type { Static, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { CliError, HttpError } from '../errors.js'
import { printable } from '../output/printable.js'
import type { CommandTokens } from './command-tokens.js'
import { type HttpRequest, requestJson, requestStream, unreachable, wrongService } from './http.js'

type Options = Pick<HttpRequest, 'method' | 'json' | 'form' | 'timeoutMs' | 'signal'>

/** The HTTP API of auth, used as one identity. The identity's access token stays in memory. */
export interface AuthApi {
  readonly url: string
  readonly identity: string
  /** Returns the identity's own access token. */
  accessToken(): Promise<string>
  /** Sends a request and returns the response body; throws CliError when `schema` does not match. */
  call<T extends TSchema>(schema: T, path: string, options?: Options): Promise<Static<T>>
  /** Sends a request whose response has no body. */
  send(path: string, options: Options): Promise<void>
  /** Sends a request and returns the response text as it arrives. */
  stream(path: string, options?: Options): Promise<AsyncIterable<string>>
  /** The identity's own tokens, for connections. */
  readonly ownTokens: TokenSource
  /** Returns a source of the identity's tokens with no more than `scope`. */
  narrowTokens(scope: string): TokenSource
  /** Returns a source of tokens that the identity issues for one of its users. */
  tokensFor(body: IssueToken): TokenSource
}

/** The identity that calls auth. The registration code is read once, at the first request. */
export interface Credentials {
  identity: string
  /** @throws CliError when the code cannot be read. */
  registrationCode(): Promise<string>
}

/** The token that a command needs. */
export interface TokenNeed {
  /** Scopes, separated by spaces; default: all scopes of the identity. */
  scope?: string | undefined
  /** If the identity lacks one of the scopes, its token has all scopes that it does have. */
  orAll?: true
  /** Default: a minute. `identity`: the lifetime of the identity's tokens, for a long command. */
  lifetimeSeconds?: number | 'identity' | undefined
  /** The token outlives the command, because the tokens issued with it end when it is revoked. */
  outlives?: true
}

/**
 * For commands that write identities and codes: auth lets a caller give, and act on identities with,
 * only scopes that its token has, and these scopes are the ceiling of new codes.
 */
export const allScopes: TokenNeed = {}

/** Returns the API of the auth at `url`. Its methods throw CliError. */
export function authApi(
  url: string,
  { identity, registrationCode }: Credentials,
  need: TokenNeed,
  commandTokens: CommandTokens,
): AuthApi {
  let code: Promise<string> | undefined
  const sourceOf = (needed: TokenNeed) => {
    const open = async (scope: string | undefined) => {
      code ??= registrationCode()
      const credentials = { identity, registrationCode: await code }
      const lifetimeSeconds = lifetimeOf(needed)
      const request = { url: `${url}/oauth/token`, credentials }
      return tokenSource({ ...request, ...defined({ scope, lifetimeSeconds }) })
    }
    return neededTokens(needed, open, async (source, token) => {
      if (!needed.outlives && code !== undefined) {
        commandTokens.hold(source, { url, identity, registrationCode: await code, token })
      }
    })
  }
  const ownTokens = sourceOf(need)

  const accessToken = (otherThan?: string) =>
    ownTokens.get({ otherThan }).catch((error: unknown) => {
      throw tokenFailure(url, error)
    })
  const withToken = async <Result>(
    send: (request: HttpRequest) => Promise<Result>,
    path: string,
    options: Options,
  ): Promise<Result> => {
    const token = await accessToken()
    const request = { service: 'auth', base: url, path, ...options } as const
    try {
      return await send({ ...request, token })
    } catch (error) {
      if (!(error instanceof HttpError) || error.status !== 401) {
        throw error
      }
      // The command may have revoked its own token (`revoke --all`); retry with a new one.
      return send({ ...request, token: await accessToken(token) })
    }
  }

  return {
    url,
    identity,
    accessToken: () => accessToken(),
    ownTokens,
    narrowTokens: (scope) => sourceOf({ scope }),
    async call(schema, path, options = {}) {
      const answer = await withToken(requestJson, path, options)
      if (Value.Check(schema, answer)) {
        return answer
      }
      throw wrongService('auth', url)
    },
    async send(path, options) {
      await withToken(requestJson, path, options)
    },
    stream: (path, options = {}) => withToken(requestStream, path, options),
    tokensFor: (body) => userTokens(url, ownTokens, body),
  }
}

/** Tokens that auth issues for a user, each requested with the identity's own token. */
function userTokens(url: string, ownTokens: TokenSource, body: IssueToken): TokenSource {
  return tokenSource({
    url: `${url}/v1/tokens`,
    request: { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    fetch: async (target, init) => {
      const headers = new Headers(init.headers)
      headers.set('authorization', `Bearer ${await ownTokens.get()}`)
      return fetch(target, { ...init, headers })
    },
  })
}

function lifetimeOf({ lifetimeSeconds = briefTokenSeconds }: TokenNeed): number | undefined {
  return lifetimeSeconds === 'identity' ? undefined : lifetimeSeconds
}

/**
 * Returns a source of tokens that is opened at its first use.
 *
 * @param open - opens a source of tokens with a scope
 * @param onToken - called with each token that is used
 */
function neededTokens(
  { scope, orAll }: TokenNeed,
  open: (scope: string | undefined) => Promise<TokenSource>,
  onToken: (source: object, token: string) => Promise<void>,
): TokenSource {
  let opened: Promise<TokenSource> | undefined
  let current: TokenSource | undefined
  const source: TokenSource = {
    async get(options) {
      opened ??= open(scope)
      const first = opened
      const asked = await first
      current = asked
      const token = await asked.get(options).catch(async (error: unknown) => {
        if (!orAll || !(error instanceof TokenError) || error.code !== 'invalid_scope') {
          throw error
        }
        // Concurrent calls share the second source.
        const second = opened === undefined || opened === first ? open(undefined) : opened
        opened = second
        const wider = await second
        current = wider
        return wider.get(options)
      })
      await onToken(source, token)
      return token
    },
    get ended() {
      return current?.ended
    },
  }
  return source
}

/** Returns the error to show when auth issued no token. */
export function tokenFailure(url: string, error: unknown): CliError {
  if (error instanceof CliError) {
    return error
  }
  if (!(error instanceof TokenError)) {
    return unreachable('auth', url, error)
  }
  if (error.code === 'network' || error.code === 'timeout') {
    return unreachable('auth', url, error)
  }
  const message = `auth issued no token: ${printable(error.message)}`
  return new CliError(error.terminal ? 'refused' : 'failed', message)
}
