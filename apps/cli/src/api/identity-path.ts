/** Returns the path of an identity at auth. */
export function identityPath(identity: string): string {
  return `/v1/identities/${encodeURIComponent(identity)}`
}
