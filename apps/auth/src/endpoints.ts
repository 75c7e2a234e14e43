/** Returns the URLs that OAuth clients use, from the URL of the issuer. */
export function endpoints(issuer: string) {
  const base = issuer.replace(/\/+$/, '')
  return {
    token: `${base}/oauth/token`,
    introspection: `${base}/oauth/introspect`,
    revocation: `${base}/oauth/revoke`,
    registration: `${base}/oauth/register`,
    keySet: `${base}/.well-known/jwks.json`,
    documentation: `${base}/docs`,
  }
}
