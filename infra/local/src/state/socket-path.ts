import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { LocalError } from '../errors.js'

/** Longest path of a unix socket that every system accepts, in bytes: 104 on macOS, with the final 0. */
const maxSocketPath = 100

/**
 * Returns the path of the unix socket `name` of the state directory `dir`: inside it, or, if that path is too
 * long for a socket, in a private directory below the system's temporary directory.
 *
 * @throws LocalError `redis_unusable` when that directory is not ours.
 */
export function socketPath(dir: string, name: string): string {
  const near = join(dir, name)
  if (Buffer.byteLength(near) <= maxSocketPath) {
    return near
  }
  const { uid } = userInfo()
  const hash = createHash('sha256').update(dir).digest('hex').slice(0, 12)
  const home = join(tmpdir(), `portcullis-${uid}-${hash}`)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const stat = lstatSync(home)
  // Another user may have created this directory first (CWE-377).
  if (stat.isDirectory() && stat.uid === uid && (stat.mode & 0o077) === 0) {
    return join(home, name)
  }
  throw new LocalError('redis_unusable', `${home} is not a directory of yours alone; remove it`)
}
