import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PrivateRedis, startRedis, type Teardown } from '@portcullis/local'

/** A Redis of the test's own, that keeps what it has answered, and that the test may ruin. */
export interface FaultyRedis {
  /** `unix://…`, the same over all restarts. */
  readonly url: string
  /** SIGKILL; settles when it has ended. */
  kill(): Promise<void>
  /** Starts it again after a kill, with the data it had; settles when it answers. */
  start(): Promise<void>
  /** Copies the data as they are now. */
  backUp(): Backup
  /** Puts older data in place of its own; only while it is not running. */
  restore(backup: Backup): void
}

/** A directory with a copy. */
export type Backup = string

/** Starts a Redis that is on disk with every answer; stopped and removed in teardown. */
export async function startFaultyRedis(t: Teardown): Promise<FaultyRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-faults-'))
  const data = join(dir, 'redis', 'appendonlydir')
  const start = () => startRedis({ dir, durable: true })
  let running: PrivateRedis = await start()
  let backups = 0
  t.teardown(async () => {
    await running.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  return {
    url: running.url,
    kill: () => running.kill(),
    async start() {
      running = await start()
    },
    backUp() {
      backups += 1
      const backup = join(dir, `backup-${backups}`)
      // The last write of a file that is being written may be cut short; Redis then leaves it out.
      cpSync(data, backup, { recursive: true })
      return backup
    },
    restore(backup) {
      rmSync(data, { recursive: true })
      cpSync(backup, data, { recursive: true })
    },
  }
}
