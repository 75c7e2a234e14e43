import {
  type AddEventReceiver,
  type ChangeEventReceiver,
  EventReceiver,
  EventReceiverList,
} from '@portcullis/contracts/event-receivers'
import { type Command, Option } from 'commander'
import { CliError } from '../errors.js'
import { type DeliveryOptions, deliveryOf, withDeliveryOptions } from '../options/delivery.js'
import { each } from '../options/options.js'
import { receiverList, receiverText } from '../output/receiver.js'
import type { OpenSession } from '../session/session.js'
import { confirm } from '../terminal/confirm.js'

/** `portcullis receiver …`: who else hears of revocations. */
export function receiverCommands(program: Command, open: OpenSession): void {
  const receiver = program
    .command('receiver')
    .description('other systems that hear of revocations, as security events')
  /** A command for one of them. */
  const ofOne = (verb: string, description: string) =>
    receiver.command(verb).description(description).argument('<id>', 'as `receiver list` has it')

  withDeliveryOptions(
    receiver
      .command('add')
      .description('add a receiver; it hears of every revocation from now on')
      .requiredOption('--aud <audience>', '`aud` of its events; may be repeated', each),
  )
    .option('--identity <identity>', 'only of tokens of this identity; may be repeated', each)
    .option('--as <identity>', 'the identity that the receiver is; to poll it needs one')
    .option('--description <text>', 'for people')
    .action(async (options: AddOptions, command: Command) => {
      const { auth, out, shell } = open(command)
      const { aud, identity, as, description } = options
      const delivery = await deliveryOf(options, shell)
      if (delivery === undefined) {
        throw new CliError('usage', 'say how its events come to it: --push <url>, or --poll')
      }
      if (options.poll && as === undefined) {
        throw new CliError('usage', 'say with --as as which identity it polls')
      }
      const [only = '', ...others] = aud
      const json: AddEventReceiver = {
        aud: others.length === 0 ? only : aud,
        delivery,
        ...(identity === undefined ? {} : { identities: identity }),
        ...(as === undefined ? {} : { identity: as }),
        ...(description === undefined ? {} : { description }),
      }
      const call = { method: 'POST', json } as const
      const added = await auth().call(EventReceiver, receivers, call)
      out.show(added, () => receiverText(out, added))
    })

  receiver
    .command('list')
    .description('receivers, and how delivery stands')
    .action(async (_options: object, command: Command) => {
      const { auth, out } = open(command)
      const list = await auth().call(EventReceiverList, receivers)
      out.show(list, () => receiverList(out, list.receivers))
    })

  ofOne('show', 'one receiver, and how delivery stands').action(
    async (id: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const found = await auth().call(EventReceiver, pathOf(id))
      out.show(found, () => receiverText(out, found))
    },
  )

  withDeliveryOptions(
    ofOne('change', 'change what is named, and nothing else; what is queued stays'),
  )
    .option('--identity <identity>', 'only of tokens of this identity; may be repeated', each)
    .addOption(
      new Option('--every-identity', 'it hears of everyone’s tokens').conflicts('identity'),
    )
    .option('--description <text>', 'for people')
    .option('--no-description', 'it has none')
    .addHelpText('after', '\nA new --push needs its Authorization header again.')
    .action(async (id: string, options: ChangeOptions, command: Command) => {
      const session = open(command)
      const { identity, everyIdentity, description } = options
      const delivery = await deliveryOf(options, session.shell)
      const json: ChangeEventReceiver = {
        ...(delivery === undefined ? {} : { delivery }),
        ...(identity === undefined ? {} : { identities: identity }),
        ...(everyIdentity ? { identities: null } : {}),
        ...(description ? { description } : {}),
        ...(description === false ? { description: null } : {}),
      }
      if (Object.keys(json).length === 0) {
        throw new CliError('usage', 'say what to change: --push, --poll, --identity, --description')
      }
      const call = { method: 'PATCH', json } as const
      const changed = await session.auth().call(EventReceiver, pathOf(id), call)
      session.out.show(changed, () => receiverText(session.out, changed))
    })

  const states = [
    ['pause', 'paused', 'keep its events, and deliver none until it is resumed'],
    ['resume', 'enabled', 'deliver its events again, those that were kept first'],
  ] as const
  for (const [verb, status, description] of states) {
    ofOne(verb, description).action(async (id: string, _options: object, command: Command) => {
      const { auth, out } = open(command)
      const call = { method: 'PATCH', json: { status } } as const
      const changed = await auth().call(EventReceiver, pathOf(id), call)
      out.show(changed, () => `${id} is ${status}; ${changed.progress.pending} queued`)
    })
  }

  ofOne('verify', 'queue an event for it that says nothing, to see that it arrives')
    .option('--state <text>', 'comes back in the event')
    .action(async (id: string, json: { state?: string }, command: Command) => {
      const { auth, out } = open(command)
      await auth().order(`${pathOf(id)}/verify`, { method: 'POST', json })
      out.show({ id, queued: true }, () => `queued; \`receiver show ${id}\` says what became of it`)
    })

  ofOne('delete', 'delete it, with all that is queued for it')
    .option('--yes', 'do not ask')
    .action(async (id: string, { yes }: { yes?: true }, command: Command) => {
      const session = open(command)
      const auth = session.auth()
      await confirm(session.shell, {
        yes,
        what: 'this deletes the receiver and what is queued for it',
        preview: async (remarks) =>
          receiverText(remarks, await auth.call(EventReceiver, pathOf(id))),
        question: 'Delete it? It hears of no revocation any more.',
      })
      await auth.order(pathOf(id), { method: 'DELETE' })
      session.out.show({ id, deleted: true }, () => `deleted ${id}`)
    })
}

interface AddOptions extends DeliveryOptions {
  aud: string[]
  identity?: string[]
  as?: string
  description?: string
}

interface ChangeOptions extends DeliveryOptions {
  identity?: string[]
  everyIdentity?: true
  /** False: `--no-description`. */
  description?: string | false
}

const receivers = '/v1/event-receivers'

function pathOf(id: string): string {
  return `${receivers}/${encodeURIComponent(id)}`
}
