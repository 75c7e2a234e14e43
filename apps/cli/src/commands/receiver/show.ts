import { EventReceiver } from '@portcullis/contracts/event-receivers'
import type { Command } from 'commander'
import { receiverText } from '../../output/receiver.js'
import type { OpenSession } from '../../session/session.js'
import { idHelp, receiverPath } from './path.js'
import { receiverNeed } from './receiver-need.js'

export function showCommand(receiver: Command, open: OpenSession): void {
  receiver
    .command('show')
    .description('show a receiver and the progress of its deliveries')
    .argument('<id>', idHelp)
    .action(async (id: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const found = await auth(receiverNeed).call(EventReceiver, receiverPath(id))
      out.show(found, () => receiverText(out, found))
    })
}
