import { isTerminal, TokenError, type TokenErrorCode } from './errors.js'

interface AnyTokenRequest {
  /** Where to POST. */
  url: string
  /** Instead of the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** How long to wait for the whole answer, in milliseconds; 10 seconds if not given. */
  timeoutMs?: number
}

/** A service asks auth for itself (RFC 6749 §4.4). Never put a registration code into a browser. */
export interface ServiceTokenRequest extends AnyTokenRequest {
  credentials: { identity: string; registrationCode: string }
  /** Ask for these scopes alone, separated by spaces. */
  scope?: string
}

/** An application asks its own backend, with the headers, body or cookies mode of its choosing. */
export interface UserTokenRequest extends AnyTokenRequest {
  request?: RequestInit
}

export type TokenRequestOptions = ServiceTokenRequest | UserTokenRequest

/** Asks once. @throws TokenError */
export async function requestToken(
  options: TokenRequestOptions,
): Promise<{ token: string; expiresInSeconds: number }> {
  const { url, fetch = globalThis.fetch, timeoutMs = 10_000 } = options
  const { status, retryAt, body } = await exchange(fetch, url, initOf(options), timeoutMs)
  if (status < 200 || status > 299) {
    throw refusal(status, retryAt, body)
  }
  const token = body['access_token']
  const expiresInSeconds = body['expires_in']
  // Only what can stand in a header and in a subprotocol (RFC 6455 §4.1); a JWT always does.
  if (typeof token !== 'string' || !/^[A-Za-z0-9._~+-]+$/.test(token)) {
    throw new TokenError('bad_answer', 'the answer has no usable access_token', { status })
  }
  if (typeof expiresInSeconds !== 'number' || !(expiresInSeconds > 0)) {
    throw new TokenError('bad_answer', 'the answer has no usable expires_in', { status })
  }
  return { token, expiresInSeconds }
}

function initOf(options: TokenRequestOptions): RequestInit {
  if (!('credentials' in options)) {
    return { ...options.request, method: 'POST' }
  }
  const { credentials, scope } = options
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scope !== undefined) {
    form.set('scope', scope)
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
    // A redirect would take the registration code along to another server.
    redirect: 'error',
  }
}

interface Answer {
  status: number
  retryAt: number | undefined
  body: Readonly<Record<string, unknown>>
}

async function exchange(
  fetch: NonNullable<AnyTokenRequest['fetch']>,
  url: string,
  init: RequestInit,
  timeoutMs: number,
): Promise<Answer> {
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
      throw new TokenError('timeout', `no answer within ${timeoutMs} ms`, { cause })
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

/** No `Retry-After` keeps a client away for longer. */
const longestRetryMs = 3_600_000

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAtOf(headers: Headers): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) {
    return undefined
  }
  const at = /^\d+$/.test(value) ? Date.now() + Number(value) * 1000 : Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.min(at, Date.now() + longestRetryMs)
}

/** OAuth says `error`, problem JSON says `code`; a backend may say either. */
function refusal(status: number, retryAt: number | undefined, body: Answer['body']): TokenError {
  const word = [body['error'], body['code']].find((value) => typeof value === 'string')
  const detail = [body['error_description'], body['detail']].find(
    (value) => typeof value === 'string' && value !== '',
  )
  const code = codeOf(status, typeof word === 'string' ? word : '')
  const message = `${typeof detail === 'string' ? detail : meanings[code]} (HTTP ${status})`
  return new TokenError(code, message, retryAt === undefined ? { status } : { status, retryAt })
}

function codeOf(status: number, word: string): TokenErrorCode {
  if (status === 429) {
    return 'rate_limited'
  }
  if (status === 408 || status === 425 || status >= 500) {
    return 'unavailable'
  }
  if (status < 400) {
    return 'bad_answer'
  }
  if (word === 'identity_suspended') {
    return 'suspended'
  }
  return isTerminal(word) ? word : 'refused'
}

const meanings: Readonly<Record<TokenErrorCode, string>> = {
  invalid_client: 'the identity is unknown, or its registration code is wrong or has expired',
  suspended: 'the identity is suspended',
  revoked: 'revoked',
  invalid_scope: 'the scope is more than the identity has',
  unauthorized_client: 'the caller may not ask for tokens here',
  invalid_request: 'the token request is malformed',
  refused: 'no token is given',
  network: 'the token endpoint cannot be reached',
  timeout: 'no answer in time',
  unavailable: 'the token endpoint cannot answer now',
  rate_limited: 'too many token requests',
  bad_answer: 'the answer is not a token answer',
}
