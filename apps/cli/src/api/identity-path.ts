/** Where auth has an identity. */
export function identityPath(identity: string): string {
  return `/v1/identities/${encodeURIComponent(identity)}`
}
