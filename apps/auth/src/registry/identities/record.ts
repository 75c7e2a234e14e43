import type { ClientKeys, ClientMetadata } from '@portcullis/contracts/clients'
import type { Identity, RegistrationCodeInfo } from '@portcullis/contracts/identities'

/** An identity as the scripts give it: its hash, its codes' values, the partition's milliseconds. */
export type IdentityReply = [hash: string[], codes: string[], nowMs: string]

/** Reads an identity. A code that no longer works is left out, whether or not it is removed yet. */
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
    ...(jwks === undefined ? {} : { jwks }),
    ...(nodes.length === 0 ? {} : { nodes }),
    ...(client === undefined ? {} : { client }),
  }
}

/** The fields of a hash, as the scripts give it. */
export function fieldsOf(hash: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>()
  for (let i = 0; i + 1 < hash.length; i += 2) {
    fields.set(hash[i] ?? '', hash[i + 1] ?? '')
  }
  return fields
}

/** A field that only we write, as JSON; undefined when it is empty or missing. */
function json<Value>(text: string | undefined): Value | undefined {
  return text === undefined || text === '' ? undefined : JSON.parse(text)
}

/**
 * Reads a code's value: `id createdAt expiresAt`, the last `-` when it works for ever; behind it the
 * code's ceiling, if it has one.
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

/** The scopes that a code is good for at most, as `underCeiling` takes them. */
export function ceilingOfCode(value: string): string {
  return value.split(' ').slice(3).join(' ')
}

/** Scopes and labels have no spaces: a hash keeps them joined by one. */
export function words(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(' ')
}
