import { ConnectionPage } from '@portcullis/contracts/connections'
import { defined } from '@portcullis/contracts/defined'
import type { Command } from 'commander'
import { firstRows, pageQuery } from '../api/first-rows.js'
import { CliError } from '../errors.js'
import { wholeNumber } from '../options/parsers.js'
import { connectionsText } from '../output/connections.js'
import type { OpenSession, Session } from '../session/session.js'

interface ConnectionsOptions {
  identity?: string
  subject?: string
  label?: string
  jti?: string
  cascade?: true
  limit: number
  wait: number
}

/** `portcullis connections` */
export function connectionsCommand(program: Command, open: OpenSession): void {
  program
    .command('connections')
    .description('list open connections by the token they use, from every realtime node')
    .option('--identity <identity>', 'with tokens of this identity')
    .option('--subject <subject>', 'with tokens for this subject')
    .option('--label <label>', 'with tokens that have this label')
    .option('--jti <id>', 'with this token')
    .option('--cascade', 'with --jti: also with tokens issued with it, directly or indirectly')
    .option('--limit <n>', 'show at most this many tokens', wholeNumber(1), 100)
    .option('--wait <ms>', 'wait up to this long for the nodes to answer', wholeNumber(1), 1000)
    .addHelpText(
      'after',
      '\n--subject and --label select tokens of your own identity, unless --identity names another.\n' +
        'Exit code 1 when a node has not answered; it may have more connections.',
    )
    .action(async (options: ConnectionsOptions, command: Command) => {
      checkSelectors(options)
      await listConnections(open(command), options)
    })
}

function checkSelectors({ identity, subject, label, jti, cascade }: ConnectionsOptions): void {
  if ([subject, label, jti].filter((one) => one !== undefined).length > 1) {
    throw new CliError('usage', 'give only one of --subject, --label and --jti')
  }
  if (jti !== undefined && identity !== undefined) {
    throw new CliError('usage', '--jti cannot be combined with --identity')
  }
  if (cascade && jti === undefined) {
    throw new CliError('usage', '--cascade needs --jti')
  }
}

async function listConnections(
  { auth, out }: Session,
  { identity, subject, label, jti, cascade, limit, wait }: ConnectionsOptions,
): Promise<void> {
  const api = auth({ scope: 'tokens:read' })
  const ownByDefault = subject !== undefined || label !== undefined
  const query = new URLSearchParams({
    ...defined({
      token: jti,
      cascade: cascade && 'true',
      identity: identity ?? (ownByDefault ? api.identity : undefined),
      subject,
      label,
    }),
    wait: `${wait}`,
  })
  let last: ConnectionPage | undefined
  const { rows, more } = await firstRows(limit, async (size, cursor) => {
    const path = `/v1/connections?${pageQuery(query, size, cursor)}`
    last = await api.call(ConnectionPage, path, { timeoutMs: wait + 10_000 })
    return { rows: last.tokens, ...defined({ cursor: last.cursor }) }
  })
  if (last === undefined) {
    return
  }
  const { connections, complete, nodes } = last
  const shown = { tokens: rows, connections, complete, nodes, more }
  out.show(shown, () => connectionsText(out, shown))
  out.noteMore(more)
  if (!complete) {
    const missing = nodes.filter(({ state }) => state !== 'answered')
    const names = missing.map(({ node, state }) => `${node} (${state})`).join(', ')
    throw new CliError('failed', `some nodes have not answered: ${names}`)
  }
}
