import type { Jwt } from './jwt.js'

/**
 * Signs something else than an access token with the current key: no verifier of access tokens takes
 * it for one, its `typ` being another (RFC 8725 §3.11).
 *
 * @param typ - the header's, as `secevent+jwt`
 * @param payload - whole but for `iat`, which is now when it has none
 * @throws KeySetError `registry_unavailable`
 */
export async function signAs(jwt: Jwt, typ: string, payload: object): Promise<string> {
  await jwt.keys.fresh()
  const { current } = jwt.keys
  const { kid, alg } = current
  return jwt.library(current).sign(payload, { header: { alg, typ, kid } })
}
