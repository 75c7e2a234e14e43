import { defined } from '@portcullis/contracts/defined'
import {
  type Delivery,
  PushDelivery,
  pollMethod,
  pushMethod,
} from '@portcullis/contracts/event-receivers'
import { Value } from '@sinclair/typebox/value'
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

const headerValue = {
  isValid: (text: string) => Value.Check(PushDelivery.properties.authorization_header, text),
  name: 'the value of an Authorization header',
}

/** Adds the options that choose how a receiver gets its events. */
export function withDeliveryOptions(command: Command): Command {
  return command
    .option('--push <url>', 'auth sends each event to this URL (RFC 8935)')
    .addOption(
      new Option('--poll', 'the receiver fetches its events from auth (RFC 8936)').conflicts(
        'push',
      ),
    )
    .option(
      '--authorization-file <file>',
      'with --push: file with the Authorization header to send; - is standard input',
    )
    .addOption(
      new Option('--ask-authorization', 'with --push: ask for that header').conflicts(
        'authorizationFile',
      ),
    )
}

/**
 * Returns the delivery that the options choose, or undefined when they choose none.
 *
 * @throws CliError when options contradict each other, or the header cannot be read.
 */
export async function readDelivery(
  { push, poll, ...header }: DeliveryOptions,
  shell: Shell,
): Promise<Delivery | undefined> {
  if (push !== undefined) {
    const authorization_header = await readHeader(header, shell)
    return { method: pushMethod, endpoint_url: push, ...defined({ authorization_header }) }
  }
  if (header.authorizationFile !== undefined || header.askAuthorization) {
    throw new CliError('usage', 'an Authorization header needs --push <url>')
  }
  return poll ? { method: pollMethod } : undefined
}

async function readHeader(
  { authorizationFile, askAuthorization }: Omit<DeliveryOptions, 'push' | 'poll'>,
  shell: Shell,
): Promise<string | undefined> {
  if (authorizationFile !== undefined) {
    return readSecret(authorizationFile, shell, headerValue)
  }
  if (!askAuthorization) {
    return undefined
  }
  if (!isInteractive(shell)) {
    throw new CliError('usage', '--ask-authorization needs a terminal; use --authorization-file')
  }
  const typed = await askSecret(shell, 'Authorization header for the receiver: ')
  if (headerValue.isValid(typed)) {
    return typed
  }
  throw new CliError('failed', `the typed text is not ${headerValue.name}`)
}
