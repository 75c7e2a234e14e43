import { type ClientForm, maxCredentialLength } from '@portcullis/contracts/oauth'
import { AuthError } from '../errors.js'

/** The one value of `client_assertion_type` (RFC 7523 §2.2). */
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** What a client shows at the token endpoint: its identity and a registration code. */
export interface Credentials {
  identity: string
  code: string
}

/** A JWT of the client's own, instead of a registration code. */
export interface ShownAssertion {
  assertion: string
  /** As `client_id` has it, which may be left out (RFC 7521 §4.2). */
  identity: string | undefined
}

/** The places in which a client may show its credentials (RFC 6749 §2.3.1, RFC 7523 §2.2). */
export interface ShownCredentials {
  authorization: string | undefined
  form: ClientForm
}

/**
 * Reads a client's credentials from HTTP Basic, or from the form, or an assertion from the form;
 * never more than one of them (RFC 6749 §2.3).
 *
 * @throws AuthError `invalid_request` when more than one is used, `invalid_client` when none is, or
 * when the header cannot be read
 */
export function credentials({
  authorization,
  form,
}: ShownCredentials): Credentials | ShownAssertion {
  const { client_secret: secret, client_assertion: assertion } = form
  const used = [authorization, secret, assertion].filter((way) => way !== undefined).length
  if (used > 1) {
    throw new AuthError(
      'invalid_request',
      'authenticate in one way: by the Authorization header, by client_secret, or by client_assertion',
    )
  }
  if (assertion !== undefined) {
    return fromAssertion(assertion, form)
  }
  if (authorization === undefined) {
    return fromForm(form)
  }
  const shown = fromBasic(authorization)
  if (form.client_id !== undefined && form.client_id !== shown.identity) {
    throw new AuthError('invalid_request', 'client_id differs from the Authorization header')
  }
  return shown
}

/** The refusal of RFC 6749 §5.2: names the scheme to use. */
export function invalidClient(message: string): AuthError {
  return new AuthError('invalid_client', message, {
    headers: { 'www-authenticate': 'Basic realm="portcullis", charset="UTF-8"' },
  })
}

function fromAssertion(
  assertion: string,
  { client_assertion_type: type, client_id: identity }: ClientForm,
): ShownAssertion {
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
      `the identity and its code have ${maxCredentialLength} characters at most, each`,
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
