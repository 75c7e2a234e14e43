import { maxIntrospections } from '@portcullis/contracts/introspection'
import { authConnections } from '../auth/auth-http.js'
import { Backoff } from '../auth/backoff.js'
import type { Lookup } from '../auth/lookup.js'
import type { Watch } from '../grants/watch.js'

/**
 * Asks auth about every watched token again and ends what is no longer active: the feed could not
 * tell what happened meanwhile. Gives false when `signal` ended it before it was through.
 */
export async function reintrospect(
  watch: Watch,
  lookup: Lookup,
  signal: AbortSignal,
): Promise<boolean> {
  const jtis = watch.tokenIds()
  let next = 0

  async function work(): Promise<void> {
    while (next < jtis.length && !signal.aborted) {
      const batch = jtis.slice(next, next + maxIntrospections)
      next += batch.length
      await ask(batch)
    }
  }

  async function ask(batch: readonly string[]): Promise<void> {
    const backoff = new Backoff(100, 2000)
    while (!signal.aborted) {
      const asked = batch.flatMap((jti) => {
        const token = watch.tokenOf(jti)
        return token === undefined ? [] : [{ jti, token }]
      })
      if (asked.length === 0) {
        return
      }
      const results = await lookup(asked.map(({ token }) => token)).catch(() => undefined)
      if (results !== undefined) {
        for (const [at, { jti }] of asked.entries()) {
          if (results[at] === undefined) {
            watch.endToken(jti)
          }
        }
        return
      }
      await pause(backoff.next(), signal)
    }
  }

  await Promise.all(Array.from({ length: authConnections }, work))
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
