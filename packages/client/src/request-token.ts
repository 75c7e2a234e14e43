import { defined } from '@portcullis/contracts/defined'
import { isTerminal, TokenError, type TokenErrorCode } from './errors.js'

interface CommonTokenRequest {
  /** URL of the token endpoint. */
  url: string
  /** Instead of the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** Milliseconds to wait for the whole response; default: 10 000. */
  timeoutMs?: number
}

/**
 * A service's request to auth for its own token (RFC 6749 §4.4). Never put a registration code into
 * a browser.
 */
export interface ServiceTokenRequest extends CommonTokenRequest {
  credentials: { identity: string; registrationCode: string }
  /** Scopes to request, separated by spaces; default: all of the identity's scopes. */
  scope?: string
  /** Requested lifetime of the token; auth may give less. Default: the identity's. */
  lifetimeSeconds?: number
}

/** An application's request to its own backend. */
export interface UserTokenRequest extends CommonTokenRequest {
  /** Headers, body and credentials mode of the request. Its method is always POST. */
  request?: RequestInit
}

export type TokenRequestOptions = ServiceTokenRequest | UserTokenRequest

/** Sends one token request. @throws TokenError */
export async function requestToken(
  options: TokenRequestOptions,
): Promise<{ token: string; expiresInSeconds: number }> {
  const { url, fetch = globalThis.fetch, timeoutMs = 10_000 } = options
  const { status, retryAt, body } = await send(fetch, url, requestInit(options), timeoutMs)
  if (status < 200 || status > 299) {
    throw refusal(status, retryAt, body)
  }
  const token = body['access_token']
  const expiresInSeconds = body['expires_in']
  // Only characters allowed in a header and in a subprotocol (RFC 6455 §4.1), as a JWT's are.
  if (typeof token !== 'string' || !/^[A-Za-z0-9._~+-]+$/.test(token)) {
    throw new TokenError('bad_answer', 'the response has no valid access_token', { status })
  }
  if (typeof expiresInSeconds !== 'number' || !(expiresInSeconds > 0)) {
    throw new TokenError('bad_answer', 'the response has no valid expires_in', { status })
  }
  return { token, expiresInSeconds }
}

function requestInit(options: TokenRequestOptions): RequestInit {
  if (!('credentials' in options)) {
    return { ...options.request, method: 'POST' }
  }
  const { credentials, scope, lifetimeSeconds } = options
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scope !== undefined) {
    form.set('scope', scope)
  }
  if (lifetimeSeconds !== undefined) {
    form.set('expires_in', `${lifetimeSeconds}`)
  }
  // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
  const pair = [credentials.identity, credentials.registrationCode].map(encodeURIComponent)
  return {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(pair.join(':'))}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: form.toString(),
    // A redirect would send the registration code to another server.
    redirect: 'error',
  }
}

interface TokenEndpointResponse {
  status: number
  retryAt: number | undefined
  body: Readonly<Record<string, unknown>>
}

async function send(
  fetch: NonNullable<CommonTokenRequest['fetch']>,
  url: string,
  init: RequestInit,
  timeoutMs: number,
): Promise<TokenEndpointResponse> {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, { ...init, signal, cache: 'no-store' })
    const body = jsonObject(await response.text())
    return { status: response.status, retryAt: retryAtOf(response.headers), body }
  } catch (cause) {
    if (cause instanceof TokenError) {
      throw cause
    }
    if (signal.aborted) {
      throw new TokenError('timeout', `no response within ${timeoutMs} ms`, { cause })
    }
    throw new TokenError('network', 'the token endpoint cannot be reached', { cause })
  }
}

function jsonObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** Upper bound of `Retry-After`. */
const maxRetryMs = 3_600_000

/** Reads `Retry-After` (RFC 9110 §10.2.3), which is seconds or a date. */
function retryAtOf(headers: Headers): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) {
    return undefined
  }
  const at = /^\d+$/.test(value) ? Date.now() + Number(value) * 1000 : Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.min(at, Date.now() + maxRetryMs)
}

/** Reads `error` and `error_description` of OAuth, or `code` and `detail` of problem JSON. */
function refusal(
  status: number,
  retryAt: number | undefined,
  body: TokenEndpointResponse['body'],
): TokenError {
  const given = [body['error'], body['code']].find((value) => typeof value === 'string')
  const detail = [body['error_description'], body['detail']].find(
    (value) => typeof value === 'string' && value !== '',
  )
  const code = codeOf(status, typeof given === 'string' ? given : '')
  const message = `${typeof detail === 'string' ? detail : meanings[code]} (HTTP ${status})`
  return new TokenError(code, message, { status, ...defined({ retryAt }) })
}

function codeOf(status: number, given: string): TokenErrorCode {
  if (status === 429) {
    return 'rate_limited'
  }
  if (status === 408 || status === 425 || status >= 500) {
    return 'unavailable'
  }
  if (status < 400) {
    return 'bad_answer'
  }
  if (given === 'identity_suspended') {
    return 'suspended'
  }
  return isTerminal(given) ? given : 'refused'
}

const meanings: Readonly<Record<TokenErrorCode, string>> = {
  invalid_client: 'the identity is unknown, or its registration code is wrong or has expired',
  suspended: 'the identity is suspended',
  revoked: 'the user or session is revoked',
  invalid_scope: 'the identity does not have the requested scope',
  unauthorized_client: 'the client may not request tokens, or its identity is suspended',
  invalid_request: 'the token request is malformed',
  refused: 'the token endpoint refused the request',
  network: 'the token endpoint cannot be reached',
  timeout: 'the token endpoint did not respond in time',
  unavailable: 'the token endpoint is not available now',
  rate_limited: 'too many token requests',
  bad_answer: 'the response is not a token response',
}
