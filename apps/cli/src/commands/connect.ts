import { fixedToken, type TokenSource } from '@portcullis/client'
import { type Command, Option } from 'commander'
import { tokenFailure } from '../api/auth-api.js'
import { CliError } from '../errors.js'
import { readToken } from '../files/token-file.js'
import { follow } from '../follow/follow-channels.js'
import { converse } from '../interactive/converse.js'
import { each, withNodeOptions } from '../options/options.js'
import type { NodeChoice, OpenSession, Session } from '../session/session.js'

/** `portcullis connect`: a socket that shows what its channels bring, and on a terminal takes commands. */
export function connectCommand(program: Command, open: OpenSession): void {
  withNodeOptions(
    program
      .command('connect')
      .description(
        'open a WebSocket: on a terminal a client to type into, else publications as lines',
      )
      .argument('[channel...]', 'channels to subscribe to')
      .addOption(
        new Option('--token-file <file>', 'with the token in this file; - is standard input'),
      )
      .addOption(
        new Option(
          '--subject <subject>',
          'with tokens for this subject, issued as needed',
        ).conflicts('tokenFile'),
      )
      .option('--scope <scopes>', 'what the tokens for --subject may do')
      .option('--label <label>', 'label of the tokens for --subject; may be repeated', each),
  )
    .addHelpText(
      'after',
      '\nWith neither --token-file nor --subject it connects as you.\n' +
        'In a pipe, with --json, and with a token on standard input it shows publications until it is\n' +
        'closed or Ctrl-C; on a terminal it takes commands, and help lists them.',
    )
    .action(async (channels: string[], options: ConnectOptions, command: Command) => {
      const session = open(command)
      const talks = isConversation(session, options)
      if (channels.length === 0 && !talks) {
        throw new CliError('usage', 'say which channels: portcullis connect <channel…>')
      }
      const { socket } = session.realtime(options)
      const tokens = await source(session, options)
      const start = talks ? converse : follow
      await start(session, { url: socket, channels: [...new Set(channels)], tokens })
    })
}

interface ConnectOptions extends NodeChoice {
  tokenFile?: string
  subject?: string
  scope?: string
  label?: string[]
}

/** Whether there is a person who sees the screen, and whose keys are not the token. */
function isConversation({ out, shell }: Session, { tokenFile }: ConnectOptions): boolean {
  return out.live !== undefined && shell.stdin.isTTY === true && tokenFile !== '-'
}

/** @throws CliError when auth gives no token. */
async function source(session: Session, options: ConnectOptions): Promise<TokenSource> {
  const { tokenFile, subject, scope, label } = options
  if (subject === undefined && (scope !== undefined || label !== undefined)) {
    throw new CliError('usage', '--scope and --label are for tokens that --subject issues')
  }
  if (tokenFile !== undefined) {
    return fixedToken(await readToken(tokenFile, session.shell))
  }
  const auth = session.auth()
  const tokens =
    subject === undefined
      ? auth.ownTokens
      : auth.tokensFor({
          subject,
          ...(scope === undefined ? {} : { scope }),
          ...(label === undefined ? {} : { labels: label }),
        })
  // Asked for now, to say what is wrong; the source keeps it for the connection.
  await tokens.get().catch((error: unknown) => {
    throw tokenFailure(auth.url, error)
  })
  return tokens
}
