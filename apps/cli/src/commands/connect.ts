import { fixedToken, type TokenSource } from '@portcullis/client'
import { defined } from '@portcullis/contracts/defined'
import { channelActions } from '@portcullis/contracts/scopes'
import { type Command, Option } from 'commander'
import { tokenFailure } from '../api/auth-api.js'
import { CliError } from '../errors.js'
import { readToken } from '../files/token-file.js'
import { followChannels } from '../follow/follow-channels.js'
import { converse } from '../interactive/converse.js'
import { channelScope } from '../options/channel-scope.js'
import { issuingScope } from '../options/issuing-scope.js'
import { withNodeOptions } from '../options/node-options.js'
import { collect } from '../options/parsers.js'
import type { NodeChoice, OpenSession, Session } from '../session/session.js'

interface ConnectOptions extends NodeChoice {
  tokenFile?: string
  subject?: string
  scope?: string
  label?: string[]
}

/** An interactive client may do anything that its identity may do in channels. */
const everyChannel = channelActions.map((action) => `${action}:*`).join(' ')

/** `portcullis connect`: prints publications; on a terminal it is an interactive client. */
export function connectCommand(program: Command, open: OpenSession): void {
  withNodeOptions(
    program
      .command('connect')
      .description(
        'open a WebSocket: an interactive client on a terminal, else print publications as lines',
      )
      .argument('[channel...]', 'channels to subscribe to')
      .addOption(
        new Option('--token-file <file>', 'use the token in this file; - is standard input'),
      )
      .addOption(
        new Option(
          '--subject <subject>',
          'use tokens for this subject, issued as needed',
        ).conflicts('tokenFile'),
      )
      .option('--scope <scopes>', 'with --subject: scopes of the tokens')
      .option('--label <label>', 'with --subject: label of the tokens; repeatable', collect),
  )
    .addHelpText(
      'after',
      '\nWithout --token-file and --subject it connects with your own token.\n' +
        'On a terminal it takes commands; type help for a list. In a pipe, with --json, or with the token\n' +
        'on standard input it prints publications until Ctrl-C or until the server closes the connection.',
    )
    .action(async (channels: string[], options: ConnectOptions, command: Command) => {
      const session = open(command)
      const interactive = isInteractiveClient(session, options)
      if (channels.length === 0 && !interactive) {
        throw new CliError('usage', 'name at least one channel: portcullis connect <channel...>')
      }
      const { socket } = session.realtime(options)
      const ownScope = interactive ? everyChannel : channelScope('subscribe', channels)
      const tokens = await tokenSource(session, options, ownScope)
      const start = interactive ? converse : followChannels
      await start(session, { url: socket, channels: [...new Set(channels)], tokens })
    })
}

/** Returns true when a user sees the screen and types commands: stdin must not be the token. */
function isInteractiveClient({ out, shell }: Session, { tokenFile }: ConnectOptions): boolean {
  return out.live !== undefined && shell.stdin.isTTY === true && tokenFile !== '-'
}

/** @throws CliError when auth issues no token. */
async function tokenSource(
  session: Session,
  options: ConnectOptions,
  ownScope: string | undefined,
): Promise<TokenSource> {
  const { tokenFile, subject, scope, label } = options
  if (subject === undefined && (scope !== undefined || label !== undefined)) {
    throw new CliError('usage', '--scope and --label need --subject')
  }
  if (tokenFile !== undefined) {
    return fixedToken(await readToken(tokenFile, session.shell))
  }
  const needed = subject === undefined ? ownScope : issuingScope(scope)
  const auth = session.auth({ scope: needed, orAll: true, lifetimeSeconds: 'identity' })
  const tokens =
    subject === undefined
      ? auth.ownTokens
      : auth.tokensFor({ subject, ...defined({ scope, labels: label }) })
  // Get the first token now, to report an error; the source keeps it for the connection.
  await tokens.get().catch((error: unknown) => {
    throw tokenFailure(auth.url, error)
  })
  return tokens
}
