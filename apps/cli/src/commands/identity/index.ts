import type { Command } from 'commander'
import type { OpenSession } from '../../session/session.js'
import { changeCommand } from './change.js'
import { deleteCommand } from './delete.js'
import { listCommand } from './list.js'
import { registerCommand } from './register.js'
import { resumeCommand } from './resume.js'
import { showCommand } from './show.js'
import { suspendCommand } from './suspend.js'

/** `portcullis identity …` */
export function identityCommands(program: Command, open: OpenSession): void {
  const identity = program
    .command('identity')
    .description('manage identities, which get tokens from auth')
  registerCommand(identity, open)
  listCommand(identity, open)
  showCommand(identity, open)
  changeCommand(identity, open)
  suspendCommand(identity, open)
  resumeCommand(identity, open)
  deleteCommand(identity, open)
}
