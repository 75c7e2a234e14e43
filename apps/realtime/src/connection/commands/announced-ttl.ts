const maxGraceMs = 10_000

/**
 * Returns the `ttl` to tell a client, in whole seconds. It ends before the token does, by a tenth of
 * the time left and at most 10 seconds: clients refresh when the ttl is over, and need time for that.
 */
export function announcedTtl(expiresAt: number, now = Date.now()): number {
  const left = expiresAt - now
  return Math.max(1, Math.floor((left - Math.min(maxGraceMs, left / 10)) / 1000))
}
