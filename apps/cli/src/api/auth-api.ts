import { TokenError, type TokenSource, tokenSource } from '@portcullis/client'
import type { IssueToken } from '@portcullis/contracts/tokens'
import type { Static, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { CliError, HttpError } from '../errors.js'
import { printable } from '../output/printable.js'
import { type Exchange, exchange, exchangeStream, unreachable } from './exchange.js'

type Call = Pick<Exchange, 'method' | 'json' | 'form' | 'timeoutMs' | 'signal'>

/** Auth, spoken to as one identity. Its access token stays in memory. */
export interface AuthApi {
  readonly url: string
  readonly identity: string
  /** The identity's own access token. */
  accessToken(): Promise<string>
  /** Asks, and checks that the answer has the shape of `schema`. */
  call<T extends TSchema>(schema: T, path: string, call?: Call): Promise<Static<T>>
  /** Asks where the answer has no body. */
  order(path: string, call: Call): Promise<void>
  /** Asks for an answer that may be long, as it comes. */
  stream(path: string, call?: Call): Promise<AsyncIterable<string>>
  /** The identity's own tokens, as a source for connections. */
  readonly ownTokens: TokenSource
  /** Tokens of the identity that may do no more than `scope`, for where its own are too much. */
  narrowTokens(scope: string): TokenSource
  /** Tokens for one of the identity's users, as a source for connections. */
  tokensFor(body: IssueToken): TokenSource
}

/** Who asks. The registration code is asked for when it is needed, and once. */
export interface AuthCaller {
  identity: string
  /** @throws CliError when there is none. */
  registrationCode(): Promise<string>
}

/** @throws CliError from each of its functions. */
export function authApi(url: string, { identity, registrationCode }: AuthCaller): AuthApi {
  let code: Promise<string> | undefined
  const tokens = (scope?: string) => {
    return lazyTokens(async () => {
      code ??= registrationCode()
      const credentials = { identity, registrationCode: await code }
      const endpoint = `${url}/oauth/token`
      return tokenSource({ url: endpoint, credentials, ...(scope !== undefined && { scope }) })
    })
  }
  const ownTokens = tokens()

  const accessToken = (otherThan?: string) =>
    ownTokens.get({ otherThan }).catch((error: unknown) => {
      throw tokenFailure(url, error)
    })
  const ask = async <Answer>(
    send: (request: Exchange) => Promise<Answer>,
    path: string,
    call: Call,
  ): Promise<Answer> => {
    const token = await accessToken()
    const request = { service: 'auth', base: url, path, ...call } as const
    try {
      return await send({ ...request, token })
    } catch (error) {
      if (!(error instanceof HttpError) || error.status !== 401) {
        throw error
      }
      // Whoever revokes every token has revoked this one too; the identity gets another.
      return send({ ...request, token: await accessToken(token) })
    }
  }

  return {
    url,
    identity,
    accessToken: () => accessToken(),
    ownTokens,
    narrowTokens: tokens,
    async call(schema, path, call = {}) {
      const answer = await ask(exchange, path, call)
      if (Value.Check(schema, answer)) {
        return answer
      }
      throw new CliError('failed', `${url} does not answer like auth: is the URL right?`)
    },
    async order(path, call) {
      await ask(exchange, path, call)
    },
    stream: (path, call = {}) => ask(exchangeStream, path, call),
    tokensFor: (body) =>
      tokenSource({
        url: `${url}/v1/tokens`,
        request: { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
        fetch: async (target, init) => {
          const headers = new Headers(init.headers)
          headers.set('authorization', `Bearer ${await ownTokens.get()}`)
          return fetch(target, { ...init, headers })
        },
      }),
  }
}

/** A source that is made when it is first asked. */
function lazyTokens(make: () => Promise<TokenSource>): TokenSource {
  let source: TokenSource | undefined
  let made: Promise<TokenSource> | undefined
  return {
    async get(options) {
      made ??= make()
      source = await made
      return source.get(options)
    },
    get ended() {
      return source?.ended
    },
  }
}

/** What to say when auth gives no token. */
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
  const message = `auth gives no token: ${printable(error.message)}`
  return new CliError(error.terminal ? 'refused' : 'failed', message)
}
