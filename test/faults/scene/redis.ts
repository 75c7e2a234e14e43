import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PrivateRedis, startRedis, type Teardown } from '@portcullis/local'

/** A private, durable Redis that a test can kill and set back. */
export interface FaultyRedis {
  /** `unix://…`, the same after every restart. */
  readonly url: string
  /** Sends SIGKILL; resolves when the process has ended. */
  kill(): Promise<void>
  /** Starts it again after a kill, with its data; resolves when it answers. */
  start(): Promise<void>
  /** Copies the current data. */
  backUp(): Backup
  /** Replaces the data by a backup; only while Redis is not running. */
  restore(backup: Backup): void
}

/** Path of the directory with the copy. */
export type Backup = string

/** Starts a Redis that syncs to disk before every reply; teardown stops and removes it. */
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
      // The copy may end in a partial write, which Redis ignores.
      cpSync(data, backup, { recursive: true })
      return backup
    },
    restore(backup) {
      rmSync(data, { recursive: true })
      cpSync(backup, data, { recursive: true })
    },
  }
}
