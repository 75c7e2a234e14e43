import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { type Check, failed, ok, warning } from './check.js'
import { probe } from './probe.js'

const Metadata = Type.Object({ issuer: Type.String(), jwks_uri: Type.String() })
const KeySet = Type.Object({ keys: Type.Array(Type.Object({ kid: Type.String() })) })
const Header = Type.Object({ kid: Type.String() })
const Claims = Type.Object({ iss: Type.String() })

/**
 * Checks that the issuer is the URL of auth (RFC 8414 §3.3), and that `token` is from that issuer and
 * signed with a published key.
 *
 * @throws CliError when auth does not respond
 */
export async function checkIssuer(auth: string, token: string | undefined): Promise<Check[]> {
  const { status, body } = await probe('auth', auth, '/.well-known/oauth-authorization-server')
  if (status !== 200 || !Value.Check(Metadata, body)) {
    const advice = 'check the URL of auth; a proxy must also forward /.well-known/'
    return [failed('issuer', `no metadata at ${auth} (HTTP ${status})`, advice)]
  }
  const { issuer } = body
  const named =
    issuer.replace(/\/+$/, '') === auth
      ? ok('issuer', issuer)
      : warning(
          'issuer',
          `auth calls itself ${issuer}, but its URL here is ${auth}`,
          'clients that use discovery refuse this: set ISSUER to the URL that clients use, or use that URL here',
        )
  return [named, await checkKeys(auth, issuer, token)]
}

async function checkKeys(auth: string, issuer: string, token: string | undefined): Promise<Check> {
  const { status, body } = await probe('auth', auth, '/.well-known/jwks.json')
  const advice = 'another auth may answer at this URL; all instances need the same Redis and ISSUER'
  if (status !== 200 || !Value.Check(KeySet, body) || body.keys.length === 0) {
    return failed('keys', `no key set at ${auth} (HTTP ${status})`, 'check the log of auth')
  }
  const kids = body.keys.map(({ kid }) => kid)
  const found = `${kids.length} published`
  if (token === undefined) {
    return ok('keys', found)
  }
  const [header, claims] = token.split('.').map(decodeJwtPart)
  if (!Value.Check(Header, header) || !kids.includes(header.kid)) {
    return failed('keys', 'your token is signed with a key that is not published', advice)
  }
  if (!Value.Check(Claims, claims) || claims.iss !== issuer) {
    return failed('keys', 'your token is from another issuer', advice)
  }
  return ok('keys', `${found}; your token is signed with one of them`)
}

/** Decodes a part of a JWT without verifying it; returns undefined when it is not JSON. */
export function decodeJwtPart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString())
  } catch {
    return undefined
  }
}
