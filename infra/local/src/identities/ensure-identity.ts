import { LocalError } from '../errors.js'
import type { State } from '../state/state.js'
import { type CallApi, type Credentials, fetchToken, field } from './administrator.js'

export interface EnsureIdentityOptions {
  authUrl: string
  /** Calls auth as the administrator. */
  api: CallApi
  state: State
  identity: string
  scopes: readonly string[]
}

/**
 * Returns credentials of `identity` that auth accepts. Uses the code in `<identity>.code`; without a valid
 * one registers the identity, or adds a code if the identity exists. Keeps the code in that file, mode 0600.
 *
 * @throws LocalError `not_admitted` when auth refuses, for instance a suspended identity.
 */
export async function ensureIdentity(options: EnsureIdentityOptions): Promise<Credentials> {
  const { authUrl, api, state, identity, scopes } = options
  const kept = state.read(`${identity}.code`)
  if (kept !== undefined && (await fetchToken(authUrl, { identity, registrationCode: kept }))) {
    return { identity, registrationCode: kept }
  }
  let answer = await api('POST', '/v1/identities', { identity, scopes })
  if (answer.status === 409) {
    answer = await api('POST', `/v1/identities/${identity}/registration-codes`, {})
  }
  const registrationCode = field(answer.body, 'registrationCode')
  if (registrationCode === undefined) {
    const detail = field(answer.body, 'detail') ?? `status ${answer.status}`
    throw new LocalError('not_admitted', `the identity ${identity} cannot be set up: ${detail}`)
  }
  state.write(`${identity}.code`, `${registrationCode}\n`)
  if (await fetchToken(authUrl, { identity, registrationCode })) {
    return { identity, registrationCode }
  }
  throw new LocalError(
    'not_admitted',
    `auth gives the identity ${identity} no token; resume it: POST /v1/identities/${identity}/resume`,
  )
}
