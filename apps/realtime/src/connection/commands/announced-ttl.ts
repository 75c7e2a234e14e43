const mostGraceMs = 10_000

/**
 * The `ttl` that a client is told, in whole seconds: a tenth of what is left, 10 seconds at most,
 * short of the token's end. Clients refresh when the ttl is over; they need time to do it.
 */
export function announcedTtl(expiresAt: number, now = Date.now()): number {
  const left = expiresAt - now
  return Math.max(1, Math.floor((left - Math.min(mostGraceMs, left / 10)) / 1000))
}
