import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** A program that is ready to run, or why it cannot be on this machine. */
export type Prepared = { command: string } | { missing: string }

/** Downloads are limited to this time, in milliseconds, so that an unreachable registry ends them. */
const timeoutMs = 300_000

/** What a package client prints when a package is not what it was: a failure, and no reason to skip. */
const tampered = /DO NOT MATCH THE HASHES|SECURITY ERROR|checksum mismatch/i

/**
 * Runs the commands of a package client, without which nothing can be tested. Returns why they failed, if
 * a registry cannot be reached or this machine lacks something.
 *
 * @throws Error if a package differs from the recorded one
 */
export async function download(
  commands: readonly {
    command: string
    args: readonly string[]
    cwd?: string
    env?: NodeJS.ProcessEnv
  }[],
): Promise<string | undefined> {
  for (const { command, args, cwd, env } of commands) {
    const failure = await execute(command, [...args], {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      timeout: timeoutMs,
    }).then(
      () => undefined,
      (error: Error & { stderr?: string }) => error.stderr || error.message,
    )
    if (failure !== undefined && tampered.test(failure)) {
      throw new Error(failure)
    }
    if (failure !== undefined) {
      return failure.trim().split('\n').at(-1)
    }
  }
  return undefined
}

/**
 * Returns a folder that `fill` has filled once for these files, and that later runs find again, in the
 * user's cache. Returns why it could not be filled otherwise.
 */
export async function cached(
  name: string,
  files: readonly string[],
  fill: (folder: string) => Promise<string | undefined>,
): Promise<{ folder: string } | { missing: string }> {
  const hash = createHash('sha256')
  for (const file of files) {
    hash.update(await readFile(file))
  }
  const cache = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'portcullis-interop',
  )
  await mkdir(cache, { recursive: true })
  const folder = join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`)
  if (await stat(folder).catch(() => undefined)) {
    return { folder }
  }
  // Runs at the same time fill folders of their own.
  const partial = `${folder}.${process.pid}`
  const missing = await fill(partial)
  if (missing === undefined) {
    await rename(partial, folder).catch(() => undefined)
  }
  await rm(partial, { recursive: true, force: true })
  return missing === undefined ? { folder } : { missing }
}
