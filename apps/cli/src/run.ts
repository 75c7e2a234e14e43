import { CommanderError } from 'commander'
import pc from 'picocolors'
import { CommandTokens } from './api/command-tokens.js'
import { CliError, exitCodes } from './errors.js'
import { refuseSecrets } from './options/refuse-secrets.js'
import { coloured } from './output/output.js'
import { program } from './program.js'
import type { Shell } from './terminal/shell.js'

/** The exit code of a command that a signal stopped. */
export const stoppedCode = 130

/**
 * Runs the command with `args`, prints any error to stderr, and returns the exit code. Afterwards the
 * tokens of the command are revoked, also when it has failed or a signal has stopped it.
 */
export async function run(
  args: readonly string[],
  shell: Shell,
  tokens = new CommandTokens(),
): Promise<number> {
  const { stopped, watched, release } = watchStops(shell)
  try {
    return await Promise.race([runCommand(args, watched, tokens), stopped])
  } finally {
    release()
    const failure = await tokens.revoke()
    if (failure !== undefined) {
      const { dim } = pc.createColors(coloured(shell.stderr, shell.env))
      const note = `the token of this command stays valid until it expires: not revoked (${failure})`
      shell.stderr.write(`${dim(note)}\n`)
    }
  }
}

async function runCommand(
  args: readonly string[],
  shell: Shell,
  tokens: CommandTokens,
): Promise<number> {
  try {
    refuseSecrets(args)
    await program(shell, tokens).parseAsync(args, { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    // Commander has already printed its message. Exit code 0: help was asked for.
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    }
    const known = error instanceof CliError
    const text = error instanceof Error ? error.message : String(error)
    const { red } = pc.createColors(coloured(shell.stderr, shell.env))
    shell.stderr.write(`${red('portcullis:')} ${known ? text : `unexpected error: ${text}`}\n`)
    return known ? error.exitCode : exitCodes.failed
  }
}

/**
 * Returns a shell for the command, and a promise that resolves when a signal arrives while the command
 * itself does not listen for signals.
 */
function watchStops(shell: Shell) {
  let listeners = 0
  let release = () => {}
  const stopped = new Promise<number>((resolve) => {
    release = shell.onStop(() => {
      if (listeners === 0) {
        resolve(stoppedCode)
      }
    })
  })
  const watched: Shell = {
    ...shell,
    onStop(listener) {
      listeners += 1
      const remove = shell.onStop(listener)
      return () => {
        listeners -= 1
        remove()
      }
    },
  }
  return { stopped, watched, release }
}
