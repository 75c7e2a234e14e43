import { IdentityPage } from '@portcullis/contracts/identities'
import type { Command } from 'commander'
import { firstRows, pageQuery } from '../../api/first-rows.js'
import { wholeNumber } from '../../options/parsers.js'
import { identityList } from '../../output/identity.js'
import type { OpenSession } from '../../session/session.js'

export function listCommand(identity: Command, open: OpenSession): void {
  identity
    .command('list')
    .description('list identities')
    .option('--limit <n>', 'show at most this many', wholeNumber(1), 100)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const { auth, out } = open(command)
      const api = auth({ scope: 'identities:read' })
      const { rows, more } = await firstRows(limit, async (size, cursor) => {
        const path = `/v1/identities?${pageQuery({}, size, cursor)}`
        const { identities, ...rest } = await api.call(IdentityPage, path)
        return { rows: identities, ...rest }
      })
      out.show({ identities: rows, more }, () => identityList(out, rows))
      out.noteMore(more)
    })
}
