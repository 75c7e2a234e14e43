import type { Command } from 'commander'
import type { Shell } from '../../terminal/shell.js'
import { addCommand } from './add.js'
import { listCommand } from './list.js'
import { removeCommand } from './remove.js'
import { showCommand } from './show.js'
import { useCommand } from './use.js'

/** `portcullis profile …` */
export function profileCommands(program: Command, shell: Shell): void {
  const profile = program
    .command('profile')
    .description('manage profiles: stored installations and your identity there')
  addCommand(profile, shell)
  listCommand(profile, shell)
  showCommand(profile, shell)
  useCommand(profile, shell)
  removeCommand(profile, shell)
}
