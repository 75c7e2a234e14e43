import type { Jwt } from './jwt.js'

/**
 * Signs a JWT that is not an access token with the current key. Its `typ` keeps verifiers of access
 * tokens from accepting it (RFC 8725 §3.11).
 *
 * @param typ - the header's `typ`, such as `secevent+jwt`
 * @param payload - all claims; `iat` is set to now if absent
 * @throws KeySetError `registry_unavailable`
 */
export async function signAs(jwt: Jwt, typ: string, payload: object): Promise<string> {
  await jwt.keys.ensureFresh()
  const { current } = jwt.keys
  const { kid, alg } = current
  return jwt.library(current).sign(payload, { header: { alg, typ, kid } })
}
