import { TokenPage } from '@portcullis/contracts/tokens'
import type { Command } from 'commander'
import { firstRows, pageQuery } from '../../api/first-rows.js'
import { wholeNumber } from '../../options/parsers.js'
import { type TokenFilter, tokenQuery, withTokenFilter } from '../../options/token-filter.js'
import { tokenList } from '../../output/token.js'
import type { OpenSession } from '../../session/session.js'

interface ListOptions extends TokenFilter {
  limit: number
}

export function listCommand(token: Command, open: OpenSession): void {
  withTokenFilter(token.command('list').description('list unexpired tokens, newest first'))
    .option('--limit <n>', 'show at most this many', wholeNumber(1), 100)
    .action(async ({ limit, ...filter }: ListOptions, command: Command) => {
      const { auth, out } = open(command)
      const api = auth({ scope: 'tokens:read' })
      const query = tokenQuery(filter, api.identity)
      const { rows, more } = await firstRows(limit, async (size, cursor) => {
        const path = `/v1/tokens?${pageQuery(query, size, cursor)}`
        const { tokens, ...rest } = await api.call(TokenPage, path)
        return { rows: tokens, ...rest }
      })
      const identity = filter.any === true
      out.show({ tokens: rows, more }, () => tokenList(out, rows, { identity }))
      out.noteMore(more)
    })
}
