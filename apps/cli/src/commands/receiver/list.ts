import { EventReceiverList } from '@portcullis/contracts/event-receivers'
import type { Command } from 'commander'
import { receiverList } from '../../output/receiver.js'
import type { OpenSession } from '../../session/session.js'
import { receiversPath } from './path.js'
import { receiverNeed } from './receiver-need.js'

export function listCommand(receiver: Command, open: OpenSession): void {
  receiver
    .command('list')
    .description('list receivers and the progress of their deliveries')
    .action(async (_options: object, command: Command) => {
      const { auth, out } = open(command)
      const list = await auth(receiverNeed).call(EventReceiverList, receiversPath)
      out.show(list, () => receiverList(out, list.receivers))
    })
}
