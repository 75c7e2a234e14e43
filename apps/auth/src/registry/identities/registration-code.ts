import { createHash, randomBytes } from 'node:crypto'
import { newName } from '../ids.js'

/** A new registration code: 256 random bits. */
export function newRegistrationCode(): string {
  return randomBytes(32).toString('base64url')
}

/** What the registry keeps of a code. A fast hash does: nobody guesses 256 random bits. */
export function hashOfCode(code: string): string {
  return createHash('sha256').update(code).digest('hex')
}

/** The name by which a code is removed; says nothing of the code. */
export function newCodeId(): string {
  return newName(9)
}
