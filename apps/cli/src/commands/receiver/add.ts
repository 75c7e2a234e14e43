import { defined } from '@portcullis/contracts/defined'
import { type AddEventReceiver, EventReceiver } from '@portcullis/contracts/event-receivers'
import type { Command } from 'commander'
import { CliError } from '../../errors.js'
import {
  type DeliveryOptions,
  readDelivery,
  withDeliveryOptions,
} from '../../options/delivery-options.js'
import { collect } from '../../options/parsers.js'
import { receiverText } from '../../output/receiver.js'
import type { OpenSession } from '../../session/session.js'
import { receiversPath } from './path.js'
import { receiverNeed } from './receiver-need.js'

interface AddOptions extends DeliveryOptions {
  aud: string[]
  identity?: string[]
  as?: string
  description?: string
}

export function addCommand(receiver: Command, open: OpenSession): void {
  withDeliveryOptions(
    receiver
      .command('add')
      .description('add a receiver, which gets every later revocation')
      .requiredOption('--aud <audience>', '`aud` of its events; repeatable', collect),
  )
    .option('--identity <identity>', 'only events of tokens of this identity; repeatable', collect)
    .option('--as <identity>', 'identity of the receiver; required with --poll')
    .option('--description <text>', 'description')
    .action(async (options: AddOptions, command: Command) => {
      const { auth, out, shell } = open(command)
      const { aud, identity, as, description } = options
      const delivery = await readDelivery(options, shell)
      if (delivery === undefined) {
        throw new CliError('usage', 'choose how events are delivered: --push <url> or --poll')
      }
      if (options.poll && as === undefined) {
        throw new CliError('usage', '--poll needs --as <identity>, the identity that polls')
      }
      const [only = '', ...others] = aud
      const json: AddEventReceiver = {
        aud: others.length === 0 ? only : aud,
        delivery,
        ...defined({ identities: identity, identity: as, description }),
      }
      const request = { method: 'POST', json } as const
      const added = await auth(receiverNeed).call(EventReceiver, receiversPath, request)
      out.show(added, () => receiverText(out, added))
    })
}
