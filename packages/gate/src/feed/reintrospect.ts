import { maxIntrospections } from '@portcullis/contracts/introspection'
import { authConnections } from '../auth/auth-http.js'
import { Backoff } from '../auth/backoff.js'
import type { Lookup } from '../auth/lookup.js'
import type { Watch } from '../grants/watch.js'

/**
 * Introspects every watched token and ends the inactive ones, since the feed has skipped events. Retries
 * until auth answers. Returns false when `signal` ended it early.
 */
export async function reintrospect(
  watch: Watch,
  lookup: Lookup,
  signal: AbortSignal,
): Promise<boolean> {
  const jtis = watch.tokenIds()
  let next = 0

  async function takeBatches(): Promise<void> {
    while (next < jtis.length && !signal.aborted) {
      const batch = jtis.slice(next, next + maxIntrospections)
      next += batch.length
      await introspectBatch(batch)
    }
  }

  async function introspectBatch(batch: readonly string[]): Promise<void> {
    const backoff = new Backoff(100, 2000)
    while (!signal.aborted) {
      const watched = batch.flatMap((jti) => {
        const token = watch.tokenOf(jti)
        return token === undefined ? [] : [{ jti, token }]
      })
      if (watched.length === 0) {
        return
      }
      const results = await lookup(watched.map(({ token }) => token)).catch(() => undefined)
      if (results !== undefined) {
        for (const [at, { jti }] of watched.entries()) {
          if (results[at] === undefined) {
            watch.endToken(jti)
          }
        }
        return
      }
      await pause(backoff.next(), signal)
    }
  }

  await Promise.all(Array.from({ length: authConnections }, takeBatches))
  return !signal.aborted
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      return resolve()
    }
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
