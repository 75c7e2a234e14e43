import { type ClientForm, maxCredentialLength } from '@portcullis/contracts/oauth'
import { AuthError } from '../errors.js'

/** The one value of `client_assertion_type` (RFC 7523 §2.2). */
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** A client's identity and registration code. */
export interface Credentials {
  identity: string
  code: string
}

/** A JWT that the client signed, instead of a registration code. */
export interface ClientAssertion {
  assertion: string
  /** `client_id`, which is optional beside an assertion (RFC 7521 §4.2). */
  identity: string | undefined
}

/** The parts of a request that can contain credentials (RFC 6749 §2.3.1, RFC 7523 §2.2). */
export interface PresentedCredentials {
  authorization: string | undefined
  form: ClientForm
}

/**
 * Reads a client's credentials from HTTP Basic or the form, or an assertion from the form.
 *
 * @throws AuthError `invalid_request` when the client uses more than one of them (RFC 6749 §2.3);
 * `invalid_client` when it uses none, or the header is malformed
 */
export function readCredentials({
  authorization,
  form,
}: PresentedCredentials): Credentials | ClientAssertion {
  const { client_secret: secret, client_assertion: assertion } = form
  const used = [authorization, secret, assertion].filter((way) => way !== undefined).length
  if (used > 1) {
    throw new AuthError(
      'invalid_request',
      'authenticate in only one way: by the Authorization header, client_secret or client_assertion',
    )
  }
  if (assertion !== undefined) {
    return fromAssertion(assertion, form)
  }
  if (authorization === undefined) {
    return fromForm(form)
  }
  const credentials = fromBasic(authorization)
  if (form.client_id !== undefined && form.client_id !== credentials.identity) {
    throw new AuthError('invalid_request', 'client_id differs from the Authorization header')
  }
  return credentials
}

/** Returns the error of RFC 6749 §5.2, which names the authentication scheme. */
export function invalidClient(message: string): AuthError {
  return new AuthError('invalid_client', message, {
    headers: { 'www-authenticate': 'Basic realm="portcullis", charset="UTF-8"' },
  })
}

function fromAssertion(
  assertion: string,
  { client_assertion_type: type, client_id: identity }: ClientForm,
): ClientAssertion {
  if (type === undefined) {
    throw new AuthError('invalid_request', 'client_assertion needs a client_assertion_type')
  }
  if (type !== assertionType) {
    throw invalidClient(`client_assertion_type must be ${assertionType}`)
  }
  return { assertion, identity }
}

function fromForm({ client_id, client_secret }: ClientForm): Credentials {
  if (client_id === undefined || client_secret === undefined) {
    throw invalidClient(
      'send the identity and its registration code, by HTTP Basic or as client_id and client_secret, or a client_assertion',
    )
  }
  return { identity: client_id, code: client_secret }
}

function fromBasic(authorization: string): Credentials {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization) ?? []
  const pair = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  const identity = colon < 0 ? undefined : formDecoded(pair.slice(0, colon))
  const code = colon < 0 ? undefined : formDecoded(pair.slice(colon + 1))
  if (identity === undefined || code === undefined) {
    throw invalidClient(
      'the Authorization header must be: Basic, then base64 of identity:code, each form-encoded',
    )
  }
  if (identity.length > maxCredentialLength || code.length > maxCredentialLength) {
    throw invalidClient(
      `the identity and its code may have at most ${maxCredentialLength} characters each`,
    )
  }
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
