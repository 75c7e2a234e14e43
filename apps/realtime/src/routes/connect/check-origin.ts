import { Refusal } from '../refusals/refusal.js'

/**
 * Refuses an upgrade from a page whose origin is not listed, compared as a whole (RFC 6454 §7).
 * `null`, which sandboxed pages send, is never listed. Clients that are not browsers send none.
 */
export function checkOrigin(origin: string | undefined, allowed: readonly string[]): void {
  if (origin === undefined || allowed.includes(origin)) {
    return
  }
  throw new Refusal(
    403,
    'origin_not_allowed',
    'this origin may not connect; ALLOWED_ORIGINS of the node lists those that may',
  )
}
