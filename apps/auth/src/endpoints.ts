/** URLs that OAuth clients use, from the issuer's. */
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
