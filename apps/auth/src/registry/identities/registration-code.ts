import { createHash, randomBytes } from 'node:crypto'
import { newName } from '../ids.js'

/** Returns a new registration code: 256 random bits. */
export function newRegistrationCode(): string {
  return randomBytes(32).toString('base64url')
}

/** Returns the hash that the registry stores. A fast hash is enough for 256 random bits. */
export function hashOfCode(code: string): string {
  return createHash('sha256').update(code).digest('hex')
}

/** Returns a new id by which a code is listed and removed. It reveals nothing about the code. */
export function newCodeId(): string {
  return newName(9)
}
