import { EventReceiver } from '@portcullis/contracts/event-receivers'
import type { Command } from 'commander'
import { receiverText } from '../../output/receiver.js'
import type { OpenSession } from '../../session/session.js'
import { confirm } from '../../terminal/confirm.js'
import { idHelp, receiverPath } from './path.js'
import { receiverNeed } from './receiver-need.js'

export function deleteCommand(receiver: Command, open: OpenSession): void {
  receiver
    .command('delete')
    .description('delete a receiver and its queued events')
    .argument('<id>', idHelp)
    .option('--yes', 'do not ask for confirmation')
    .action(async (id: string, { yes }: { yes?: true }, command: Command) => {
      const session = open(command)
      const auth = session.auth(receiverNeed)
      await confirm(session.shell, {
        yes,
        effect: 'this deletes the receiver and its queued events',
        preview: async (out) => receiverText(out, await auth.call(EventReceiver, receiverPath(id))),
        question: 'Delete this receiver? It will get no more revocations.',
      })
      await auth.send(receiverPath(id), { method: 'DELETE' })
      session.out.show({ id, deleted: true }, () => `deleted ${id}`)
    })
}
