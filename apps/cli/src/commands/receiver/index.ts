import type { Command } from 'commander'
import type { OpenSession } from '../../session/session.js'
import { addCommand } from './add.js'
import { changeCommand } from './change.js'
import { deleteCommand } from './delete.js'
import { listCommand } from './list.js'
import { pauseCommand, resumeCommand } from './set-status.js'
import { showCommand } from './show.js'
import { verifyCommand } from './verify.js'

/** `portcullis receiver …` */
export function receiverCommands(program: Command, open: OpenSession): void {
  const receiver = program
    .command('receiver')
    .description('manage the systems that receive revocations as security events')
  addCommand(receiver, open)
  listCommand(receiver, open)
  showCommand(receiver, open)
  changeCommand(receiver, open)
  pauseCommand(receiver, open)
  resumeCommand(receiver, open)
  verifyCommand(receiver, open)
  deleteCommand(receiver, open)
}
