import { ConnectionPage } from '@portcullis/contracts/connections'
import type { Command } from 'commander'
import { firstRows } from '../api/first-rows.js'
import { CliError } from '../errors.js'
import { wholeNumber } from '../options/options.js'
import { connectionsText } from '../output/connections.js'
import type { OpenSession } from '../session/session.js'

/** `portcullis connections`: what stands on which tokens, at this moment. */
export function connectionsCommand(program: Command, open: OpenSession): void {
  program
    .command('connections')
    .description('live connections by the tokens that they stand on, asked of every node')
    .option('--identity <identity>', 'on the tokens of this identity')
    .option('--subject <subject>', 'on the tokens for this subject')
    .option('--label <label>', 'on the tokens with this label')
    .option('--jti <id>', 'on the token with this id')
    .option('--cascade', 'with --jti: and on all that it has issued')
    .option('--limit <n>', 'show at most so many tokens', wholeNumber(1), 100)
    .option('--wait <ms>', 'how long the nodes may take to answer', wholeNumber(1), 1000)
    .addHelpText(
      'after',
      '\nWith --subject or --label the identity is your own, unless --identity names another.\n' +
        'Exit code 1 when a node has not answered: it may have more.',
    )
    .action(async (options: ConnectionsOptions, command: Command) => {
      const { auth, out } = open(command)
      const { identity, subject, label, jti, cascade, limit: most, wait } = options
      if ([subject, label, jti].filter((one) => one !== undefined).length > 1) {
        throw new CliError('usage', 'choose one of --subject, --label and --jti')
      }
      if (jti !== undefined && identity !== undefined) {
        throw new CliError('usage', '--jti goes without --identity')
      }
      if (cascade && jti === undefined) {
        throw new CliError('usage', '--cascade goes with --jti')
      }
      const api = auth()
      const scoped = subject !== undefined || label !== undefined
      const whose = identity ?? (scoped ? api.identity : undefined)
      const query = new URLSearchParams({
        ...(jti !== undefined && { token: jti }),
        ...(cascade && { cascade: 'true' }),
        ...(whose !== undefined && { identity: whose }),
        ...(subject !== undefined && { subject }),
        ...(label !== undefined && { label }),
        wait: `${wait}`,
      })
      let last: ConnectionPage | undefined
      const { rows, more } = await firstRows(most, async (limit, cursor) => {
        query.set('limit', `${limit}`)
        if (cursor !== undefined) {
          query.set('cursor', cursor)
        }
        const timeoutMs = wait + 10_000
        last = await api.call(ConnectionPage, `/v1/connections?${query}`, { timeoutMs })
        return { rows: last.tokens, ...(last.cursor !== undefined && { cursor: last.cursor }) }
      })
      if (last === undefined) {
        return
      }
      const { connections, complete, nodes } = last
      const shown = { tokens: rows, connections, complete, nodes, more }
      out.show(shown, () => connectionsText(out, shown))
      if (more) {
        out.note('there are more; use --limit')
      }
      const missing = nodes.filter(({ state }) => state !== 'answered')
      if (complete) {
        return
      }
      const names = missing.map(({ node, state }) => `${node} (${state})`).join(', ')
      throw new CliError('failed', `not every node has answered: ${names}`)
    })
}

interface ConnectionsOptions {
  identity?: string
  subject?: string
  label?: string
  jti?: string
  cascade?: true
  limit: number
  wait: number
}
