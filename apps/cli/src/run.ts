import { CommanderError } from 'commander'
import pc from 'picocolors'
import { CliError, exitCodes } from './errors.js'
import { refuseSecrets } from './options/refuse-secrets.js'
import { coloured } from './output/output.js'
import { program } from './program.js'
import type { Shell } from './terminal/shell.js'

/** Runs the command with `args`, prints any error to stderr, and returns the exit code. */
export async function run(args: readonly string[], shell: Shell): Promise<number> {
  try {
    refuseSecrets(args)
    await program(shell).parseAsync(args, { from: 'user' })
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
