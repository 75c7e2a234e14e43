import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** How long a command may take, in milliseconds: a test file may take three minutes in all. */
const timeoutMs = 50_000

/** What a package client prints when a package is not what it was: a failure, and no reason to skip. */
const tampered = /SECURITY ERROR|checksum mismatch/i

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
  }[],
): Promise<string | undefined> {
  for (const { command, args, cwd } of commands) {
    const failure = await execute(command, [...args], {
      ...(cwd === undefined ? {} : { cwd }),
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
