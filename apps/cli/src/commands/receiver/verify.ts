import type { Command } from 'commander'
import type { OpenSession } from '../../session/session.js'
import { idHelp, receiverPath } from './path.js'
import { receiverNeed } from './receiver-need.js'

export function verifyCommand(receiver: Command, open: OpenSession): void {
  receiver
    .command('verify')
    .description('queue a verification event, to test the delivery')
    .argument('<id>', idHelp)
    .option('--state <text>', 'text to include in the event')
    .action(async (id: string, json: { state?: string }, command: Command) => {
      const { auth, out } = open(command)
      await auth(receiverNeed).send(`${receiverPath(id)}/verify`, { method: 'POST', json })
      out.show({ id, queued: true }, () => `queued; \`receiver show ${id}\` shows the delivery`)
    })
}
