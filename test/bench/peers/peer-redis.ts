import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PrivateRedis, startRedis } from '@portcullis/local'
import type { Stage } from '../stage.js'

/** Starts a Redis of a peer's own, in memory unless it is `durable`. */
export async function startPeerRedis(
  stage: Stage,
  { durable = false }: { durable?: boolean } = {},
): Promise<PrivateRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'portcullis-bench-'))
  await stage.add(() => rm(dir, { recursive: true, force: true }))
  const redis = await startRedis({ dir, durable })
  await stage.add(() => redis.stop())
  return redis
}
