import { defined } from '@portcullis/contracts/defined'
import { type ChangeEventReceiver, EventReceiver } from '@portcullis/contracts/event-receivers'
import { type Command, Option } from 'commander'
import { CliError } from '../../errors.js'
import {
  type DeliveryOptions,
  readDelivery,
  withDeliveryOptions,
} from '../../options/delivery-options.js'
import { collect } from '../../options/parsers.js'
import { receiverText } from '../../output/receiver.js'
import type { OpenSession } from '../../session/session.js'
import type { Shell } from '../../terminal/shell.js'
import { idHelp, receiverPath } from './path.js'
import { receiverNeed } from './receiver-need.js'

interface ChangeOptions extends DeliveryOptions {
  identity?: string[]
  everyIdentity?: true
  /** False with `--no-description`. */
  description?: string | false
}

export function changeCommand(receiver: Command, open: OpenSession): void {
  withDeliveryOptions(
    receiver
      .command('change')
      .description('change the given settings of a receiver; queued events are kept')
      .argument('<id>', idHelp),
  )
    .option('--identity <identity>', 'only events of tokens of this identity; repeatable', collect)
    .addOption(
      new Option('--every-identity', 'events of tokens of every identity').conflicts('identity'),
    )
    .option('--description <text>', 'description')
    .option('--no-description', 'remove the description')
    .addHelpText('after', '\nA new --push needs its Authorization header again.')
    .action(async (id: string, options: ChangeOptions, command: Command) => {
      const { auth, out, shell } = open(command)
      const json = await changes(options, shell)
      if (Object.keys(json).length === 0) {
        const names = '--push, --poll, --identity, --every-identity or --description'
        throw new CliError('usage', `nothing to change; give ${names}`)
      }
      const request = { method: 'PATCH', json } as const
      const changed = await auth(receiverNeed).call(EventReceiver, receiverPath(id), request)
      out.show(changed, () => receiverText(out, changed))
    })
}

async function changes(options: ChangeOptions, shell: Shell): Promise<ChangeEventReceiver> {
  const { identity, everyIdentity, description } = options
  return defined({
    delivery: await readDelivery(options, shell),
    identities: everyIdentity ? null : identity,
    // An empty description is no change.
    description: description === false ? null : description || undefined,
  })
}
