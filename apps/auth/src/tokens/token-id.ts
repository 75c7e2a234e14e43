import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'

const randomBytesOfId = 12
/** In base64url characters of 6 bits. Far more guesses than anyone can send cause one look-up. */
const checkLength = 6

/**
 * Returns a new token id: the registry partition of the identity, 96 random bits, and a check that
 * only holders of the secret can make. The check keeps texts with invented ids away from Redis; it
 * does not make a token active.
 */
export function newTokenId(secret: KeyObject, partition: number, identity: string): string {
  const name = `${partition}-${randomBytes(randomBytesOfId).toString('base64url')}`
  return name + checkOf(secret, name, identity)
}

/** Returns true if the id was made with this secret for a token of this identity. */
export function isTokenId(secret: KeyObject, id: string, identity: string): boolean {
  const name = id.slice(0, -checkLength)
  const check = Buffer.from(id.slice(-checkLength))
  const expected = Buffer.from(checkOf(secret, name, identity))
  return check.length === expected.length && timingSafeEqual(check, expected)
}

function checkOf(secret: KeyObject, name: string, identity: string): string {
  // A name contains no colon, so no two pairs give the same text.
  const mac = createHmac('sha256', secret).update(`${name}:${identity}`).digest('base64url')
  return mac.slice(0, checkLength)
}
