import { IdentityCountPage, TokenCount } from '@portcullis/contracts/tokens'
import type { Command } from 'commander'
import { firstRows, pageQuery } from '../../api/first-rows.js'
import { CliError } from '../../errors.js'
import { wholeNumber } from '../../options/parsers.js'
import { type TokenFilter, tokenQuery, withTokenFilter } from '../../options/token-filter.js'
import { identityCounts, tokenCountText } from '../../output/token.js'
import type { OpenSession, Session } from '../../session/session.js'

interface CountOptions extends TokenFilter {
  limit: number
  byIdentity?: true
}

export function countCommand(token: Command, open: OpenSession): void {
  withTokenFilter(token.command('count').description('count unexpired tokens'))
    .option('--by-identity', 'a count for each identity')
    .option('--limit <n>', 'with --by-identity: show at most this many', wholeNumber(1), 100)
    .action(async ({ byIdentity, limit, ...filter }: CountOptions, command: Command) => {
      const session = open(command)
      if (byIdentity) {
        return countByIdentity(session, filter, limit)
      }
      const api = session.auth({ scope: 'tokens:read' })
      const query = tokenQuery(filter, api.identity)
      const count = await api.call(TokenCount, `/v1/tokens/count?${query}`)
      session.out.show(count, () => tokenCountText(session.out, count))
    })
}

async function countByIdentity(
  { auth, out }: Session,
  filter: TokenFilter,
  limit: number,
): Promise<void> {
  if (filter.identity !== undefined) {
    throw new CliError('usage', '--by-identity counts every identity; leave --identity out')
  }
  const api = auth({ scope: 'tokens:read' })
  const query = tokenQuery({ any: true, ...filter }, api.identity)
  const { rows, more } = await firstRows(limit, async (size, cursor) => {
    const path = `/v1/tokens/count/by-identity?${pageQuery(query, size, cursor)}`
    const { identities, ...rest } = await api.call(IdentityCountPage, path)
    return { rows: identities, ...rest }
  })
  out.show({ identities: rows, more }, () => identityCounts(out, rows))
  out.noteMore(more)
}
