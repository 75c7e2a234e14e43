import type { Command } from 'commander'
import type { OpenSession } from '../../session/session.js'
import { countCommand } from './count.js'
import { introspectCommand } from './introspect.js'
import { issueCommand } from './issue.js'
import { listCommand } from './list.js'
import { showCommand } from './show.js'

/** `portcullis token …` */
export function tokenCommands(program: Command, open: OpenSession): void {
  const token = program.command('token').description('issue, list and check tokens')
  issueCommand(token, open)
  listCommand(token, open)
  countCommand(token, open)
  showCommand(token, open)
  introspectCommand(token, open)
}
