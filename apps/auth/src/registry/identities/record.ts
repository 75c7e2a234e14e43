import type { ClientKeys, ClientMetadata } from '@portcullis/contracts/clients'
import { defined } from '@portcullis/contracts/defined'
import type { Identity, RegistrationCodeInfo } from '@portcullis/contracts/identities'

/**
 * An identity as the scripts return it: fields of its hash, values of its codes, Redis' time in ms.
 */
export type IdentityReply = [hash: string[], codes: string[], nowMs: string]

/** Parses an identity. Leaves out codes that have expired. */
export function identityOf(identity: string, [hash, codes, nowMs]: IdentityReply): Identity {
  const fields = fieldsOf(hash)
  const jwks = json<ClientKeys>(fields.get('jwks'))
  const client = json<ClientMetadata>(fields.get('client'))
  const nodes = words(fields.get('nodes'))
  const ttl = fields.get('tokenTtlSeconds') ?? ''
  return {
    identity,
    state: fields.get('state') === 'active' ? 'active' : 'suspended',
    scopes: words(fields.get('scopes')),
    ...(ttl === '' ? {} : { tokenTtlSeconds: Number(ttl) }),
    labels: words(fields.get('labels')),
    createdAt: Math.floor(Number(fields.get('createdUs')) / 1000),
    registrationCodes: codes
      .map(codeOf)
      .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > Number(nowMs))
      .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)),
    ...defined({ jwks }),
    ...(nodes.length === 0 ? {} : { nodes }),
    ...defined({ client }),
  }
}

/** Returns the fields of a hash from the flat list that a script returns. */
export function fieldsOf(hash: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>()
  for (let i = 0; i + 1 < hash.length; i += 2) {
    fields.set(hash[i] ?? '', hash[i + 1] ?? '')
  }
  return fields
}

/** Parses a field that only the registry writes; undefined when it is empty or missing. */
function json<Value>(text: string | undefined): Value | undefined {
  return text === undefined || text === '' ? undefined : JSON.parse(text)
}

/**
 * Parses the value of a code: `id createdAt expiresAt`, with `-` for no expiry, then the scopes of
 * its ceiling if it has one.
 */
export function codeOf(value: string): RegistrationCodeInfo {
  const [id = '', createdAt, expiresAt = '-', ...scopes] = value.split(' ')
  return {
    id,
    createdAt: Number(createdAt),
    ...(expiresAt === '-' ? {} : { expiresAt: Number(expiresAt) }),
    ...(scopes.length === 0 ? {} : { scopes }),
  }
}

/** Returns the ceiling in the value of a code, as `underCeiling` takes it. */
export function ceilingOfCode(value: string): string {
  return value.split(' ').slice(3).join(' ')
}

/** Splits a list that a hash stores joined by spaces. */
export function words(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(' ')
}
