import { AuthError } from '../errors.js'

/** What a client shows at the token endpoint: its identity and a registration code. */
export interface Credentials {
  identity: string
  code: string
}

/** The two places in which a client may show its credentials (RFC 6749 §2.3.1). */
export interface ShownCredentials {
  authorization: string | undefined
  form: { client_id?: string; client_secret?: string }
}

/**
 * Reads a client's credentials from HTTP Basic or from the form, never from both.
 *
 * @throws AuthError `invalid_request` when both are used, `invalid_client` when neither is, or when
 * the header cannot be read
 */
export function credentials({ authorization, form }: ShownCredentials): Credentials {
  if (authorization === undefined) return fromForm(form)
  if (form.client_secret !== undefined)
    throw new AuthError(
      'invalid_request',
      'send the registration code in the Authorization header or in the body, not in both',
    )
  const shown = fromBasic(authorization)
  if (form.client_id !== undefined && form.client_id !== shown.identity)
    throw new AuthError('invalid_request', 'client_id differs from the Authorization header')
  return shown
}

/** The refusal of RFC 6749 §5.2: names the scheme to use. */
export function invalidClient(message: string): AuthError {
  return new AuthError('invalid_client', message, {
    headers: { 'www-authenticate': 'Basic realm="portcullis", charset="UTF-8"' },
  })
}

function fromForm({ client_id, client_secret }: ShownCredentials['form']): Credentials {
  if (client_id === undefined || client_secret === undefined)
    throw invalidClient(
      'send the identity and its registration code, by HTTP Basic or as client_id and client_secret',
    )
  return { identity: client_id, code: client_secret }
}

function fromBasic(authorization: string): Credentials {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? []
  const pair = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  const identity = colon < 0 ? undefined : formDecoded(pair.slice(0, colon))
  const code = colon < 0 ? undefined : formDecoded(pair.slice(colon + 1))
  if (identity === undefined || code === undefined)
    throw invalidClient(
      'the Authorization header must be: Basic, then base64 of identity:code, each form-encoded',
    )
  return { identity, code }
}

/** RFC 6749 §2.3.1: both halves are form-encoded before they are joined. */
function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
