import type { Command } from 'commander'
import type { ProfileFlags } from '../../installation/places.js'
import { type Output, output } from '../../output/output.js'
import type { Shell } from '../../terminal/shell.js'

/** Returns the output and the global flags of a command that needs no session. */
export function globalOptions(
  shell: Shell,
  command: Command,
): { out: Output; flags: ProfileFlags } {
  const { json = false, ...flags } = command.optsWithGlobals<ProfileFlags & { json?: boolean }>()
  return { out: output(shell, shell.env, json), flags }
}
