import {
  type Delivery,
  PushDelivery,
  pollMethod,
  pushMethod,
} from '@portcullis/contracts/event-receivers'
import { type Command, Option } from 'commander'
import { CliError } from '../errors.js'
import { readSecret } from '../files/secret-file.js'
import { askSecret } from '../terminal/ask-secret.js'
import { isInteractive } from '../terminal/is-interactive.js'
import type { Shell } from '../terminal/shell.js'

export interface DeliveryOptions {
  push?: string
  poll?: true
  authorizationFile?: string
  askAuthorization?: true
}

const { pattern = '' } = PushDelivery.properties.authorization_header
const header = new RegExp(pattern)

/** How events come to a receiver, alike for whatever says it. */
export function withDeliveryOptions(command: Command): Command {
  return command
    .option('--push <url>', 'auth sends each event there (RFC 8935)')
    .addOption(
      new Option('--poll', 'it asks for its events, as its identity (RFC 8936)').conflicts('push'),
    )
    .option(
      '--authorization-file <file>',
      'this file, or standard input for -, holds the Authorization header to push with',
    )
    .addOption(
      new Option('--ask-authorization', 'ask for that header on the terminal').conflicts(
        'authorizationFile',
      ),
    )
}

/**
 * The delivery that the options say; undefined when they say none.
 *
 * @throws CliError when they do not go together, or the header cannot be had.
 */
export async function deliveryOf(
  { push, poll, ...from }: DeliveryOptions,
  shell: Shell,
): Promise<Delivery | undefined> {
  if (push !== undefined) {
    const authorization = await authorizationOf(from, shell)
    const sent = authorization === undefined ? {} : { authorization_header: authorization }
    return { method: pushMethod, endpoint_url: push, ...sent }
  }
  if (from.authorizationFile !== undefined || from.askAuthorization) {
    throw new CliError('usage', 'name with --push where the Authorization header is sent to')
  }
  return poll ? { method: pollMethod } : undefined
}

async function authorizationOf(
  { authorizationFile, askAuthorization }: Omit<DeliveryOptions, 'push' | 'poll'>,
  shell: Shell,
): Promise<string | undefined> {
  const what = 'the value of an Authorization header'
  if (authorizationFile !== undefined) {
    return readSecret(authorizationFile, shell, { pattern: header, what })
  }
  if (!askAuthorization) {
    return undefined
  }
  if (!isInteractive(shell)) {
    throw new CliError('usage', 'there is no terminal to ask on: use --authorization-file')
  }
  const typed = await askSecret(shell, 'Authorization header to push with: ')
  if (header.test(typed)) {
    return typed
  }
  throw new CliError('failed', `what was typed is not ${what}`)
}
