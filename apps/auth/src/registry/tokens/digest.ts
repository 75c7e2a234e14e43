import { createHash } from 'node:crypto'

/** Returns what the registry keeps of a token's text: SHA-256, in base64url. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
