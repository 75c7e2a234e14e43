import { request } from 'undici'
import { LocalError } from '../errors.js'

export interface Credentials {
  identity: string
  registrationCode: string
}

export interface Answer<Body> {
  status: number
  body: Body
}

/** Calls auth's API with JSON. Does not throw for an error status. */
export type CallApi = (method: string, path: string, body?: unknown) => Promise<Answer<unknown>>

/** Returns an access token of the identity (RFC 6749 §4.4), or undefined when auth refuses its code. */
export async function fetchToken(
  authUrl: string,
  { identity, registrationCode }: Credentials,
): Promise<string | undefined> {
  // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
  const basic = `${encodeURIComponent(identity)}:${encodeURIComponent(registrationCode)}`
  const { statusCode, body } = await request(`${authUrl}/oauth/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(basic).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  })
  const answer: unknown = await body.json().catch(() => undefined)
  if (statusCode === 400 || statusCode === 401 || statusCode === 403) {
    return undefined
  }
  const token = field(answer, 'access_token')
  if (statusCode === 200 && token !== undefined) {
    return token
  }
  throw new LocalError('not_admitted', `auth answered a token request with ${statusCode}`)
}

/**
 * Returns a function that calls auth's API as the identity. It fetches a token for the first call, and
 * another when auth rejects the token.
 *
 * @throws LocalError `not_admitted` when auth gives that identity no token.
 */
export function apiOf(authUrl: string, credentials: Credentials): CallApi {
  let token: string | undefined
  const call = async (method: string, path: string, body: unknown) => {
    token ??= await requireToken(authUrl, credentials)
    const answer = await request(`${authUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.body.text()
    return { status: answer.statusCode, body: text === '' ? undefined : parse(text) }
  }
  return async (method, path, body) => {
    const reused = token !== undefined
    const answer = await call(method, path, body)
    if (answer.status !== 401 || !reused) {
      return answer
    }
    token = undefined
    return call(method, path, body)
  }
}

/**
 * Checks that auth admits the administrator with the code in `file`. Auth does not restore a code that was
 * removed from the administrator.
 *
 * @throws LocalError `not_admitted`, which says what to write where.
 */
export async function requireAdministrator(
  authUrl: string,
  administrator: Credentials,
  file: string,
): Promise<void> {
  if ((await fetchToken(authUrl, administrator)) !== undefined) {
    return
  }
  throw new LocalError(
    'not_admitted',
    `auth does not admit ${administrator.identity} with the code in ${file}; if the code was replaced, write the new one into that file`,
  )
}

/** Returns a text field of a response body, or undefined. */
export function field(answer: unknown, name: string): string | undefined {
  if (typeof answer !== 'object' || answer === null) {
    return undefined
  }
  const value: unknown = Reflect.get(answer, name)
  return typeof value === 'string' ? value : undefined
}

async function requireToken(authUrl: string, credentials: Credentials): Promise<string> {
  const token = await fetchToken(authUrl, credentials)
  if (token !== undefined) {
    return token
  }
  throw new LocalError(
    'not_admitted',
    `auth does not admit the identity ${credentials.identity}: it is suspended, or its code is not known`,
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
