import { Refusal } from '../refusals/refusal.js'

/**
 * A browser hides why an upgrade was refused, but the page may read the reply to a plain request to the
 * same address (Fetch, CORS protocol): 403 if the node refuses its origin.
 */
export const readableByPages = { 'access-control-allow-origin': '*' } as const

/**
 * Throws when an upgrade comes from a page whose origin is not listed; origins are compared as a
 * whole (RFC 6454 §7). `null`, the origin of sandboxed pages, is never listed. Clients other than
 * browsers send no origin.
 */
export function checkOrigin(origin: string | undefined, allowed: readonly string[]): void {
  if (origin === undefined || allowed.includes(origin)) {
    return
  }
  throw new Refusal(
    403,
    'origin_not_allowed',
    'this origin is not allowed to connect; add it to ALLOWED_ORIGINS of the node',
    readableByPages,
  )
}
