/**
 * How exactly a node knows the time of the registry's clock, in milliseconds. A token that expires within
 * this time counts as expired: a client that fetches a new one too early loses nothing.
 */
const clockToleranceMs = 60_000

/**
 * Returns true for a JWT whose `exp` has passed. Nothing is verified: auth has refused the token
 * already, and the claim only selects the error that its owner gets.
 */
export function hasExpired(token: string, registryMs: number): boolean {
  const [, payload = ''] = token.split('.')
  try {
    const { exp } = Object(JSON.parse(Buffer.from(payload, 'base64url').toString()))
    return typeof exp === 'number' && exp * 1000 <= registryMs + clockToleranceMs
  } catch {
    return false
  }
}
