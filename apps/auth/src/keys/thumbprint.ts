import { createHash } from 'node:crypto'

/** The required members of a public JWK, which its thumbprint covers. */
export type KeyMembers =
  | { kty: 'OKP'; crv: 'Ed25519'; x: string }
  | { kty: 'EC'; crv: 'P-256'; x: string; y: string }

/**
 * Returns the JWK thumbprint (RFC 7638): SHA-256 of the required members in lexicographic order.
 */
export function thumbprint(members: KeyMembers): string {
  const { crv, kty, x } = members
  const ordered = members.kty === 'OKP' ? { crv, kty, x } : { crv, kty, x, y: members.y }
  return createHash('sha256').update(JSON.stringify(ordered)).digest('base64url')
}
