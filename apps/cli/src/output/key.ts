import type { SigningKeyInfo } from '@portcullis/contracts/keys'
import type { Output } from './output.js'
import { relative } from './time.js'

/** Returns a table of signing keys. */
export function keyList(out: Output, keys: readonly SigningKeyInfo[]): string {
  const now = Date.now()
  return out.table<SigningKeyInfo>(
    [
      { head: 'KID', value: ({ kid }) => kid, whole: true },
      { head: 'ALG', value: ({ alg }) => alg, whole: true },
      {
        head: 'STATE',
        value: ({ state }) => state,
        whole: true,
        paint: (text) => (text.startsWith('current') ? out.paint.green(text) : text),
      },
      { head: 'MADE', value: ({ createdAt }) => relative(createdAt, now), whole: true },
      { head: 'THEN', value: (key) => nextEvent(key, now) },
    ],
    keys,
    'no keys',
  )
}

function nextEvent(key: SigningKeyInfo, now: number): string {
  const { state, readyAt = 0, rotatesAt, removedAt } = key
  if (state === 'next') {
    return readyAt > now ? `ready ${relative(readyAt, now)}` : 'ready'
  }
  if (state === 'previous') {
    return removedAt ? `removed ${relative(removedAt, now)}` : ''
  }
  return rotatesAt === undefined ? 'rotated by hand' : `rotates ${relative(rotatesAt, now)}`
}
