import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { close, connect } from '@portcullis/redis'
import { startRedis } from '../redis/start-redis.js'
import type { Teardown } from './teardown.js'

/**
 * Provides a Redis for a test: `REDIS_URL`, or a private server. `prefix` is random, so that tests can share
 * a server; teardown deletes the keys that have it.
 */
export async function testRedis(t: Teardown): Promise<{ url: string; prefix: string }> {
  const prefix = `test-${randomBytes(8).toString('hex')}`
  const given = process.env['REDIS_URL'] ?? ''
  if (given !== '') {
    t.teardown(() => removeKeys(given, prefix))
    return { url: given, prefix }
  }
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-redis-'))
  const redis = await startRedis({ dir, durable: false })
  t.teardown(async () => {
    await redis.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  return { url: redis.url, prefix }
}

async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = connect({ url, onError: () => undefined })
  try {
    await redis.connect()
    let cursor = '0'
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `*${prefix}*`, 'COUNT', 1000)
      if (keys.length > 0) {
        await redis.unlink(...keys)
      }
      cursor = next
    } while (cursor !== '0')
  } catch {
    // A test may have stopped this Redis.
  } finally {
    await close(redis)
  }
}
