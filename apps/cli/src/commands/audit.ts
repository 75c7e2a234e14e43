import { AuditPage } from '@portcullis/contracts/audit'
import { type Command, Option } from 'commander'
import { firstRows } from '../api/first-rows.js'
import { exportAudit } from '../follow/export-audit.js'
import { followAudit } from '../follow/follow-audit.js'
import { moment, wholeNumber } from '../options/options.js'
import { auditList } from '../output/audit.js'
import type { OpenSession } from '../session/session.js'

/** `portcullis audit`: who did what, or tried to. */
export function auditCommand(program: Command, open: OpenSession): void {
  program
    .command('audit')
    .description('who did what, or tried to: newest first')
    .option('--actor <identity>', 'only what this identity did')
    .option('--action <action>', 'only this, such as identity.suspend; or a noun: identity')
    .addOption(
      new Option('--result <result>', 'only with this result').choices(['ok', 'refused', 'failed']),
    )
    .option('--identity <identity>', 'only what was done to this identity')
    .option('--from <time>', 'only from then on: ISO 8601 or Unix ms', moment)
    .option('--to <time>', 'only before', moment)
    .option('--limit <n>', 'show at most so many; default 100, with --follow 10', wholeNumber(1))
    .addOption(new Option('--follow', 'and what is yet to come, until Ctrl-C').conflicts('export'))
    .addOption(new Option('--export', 'all of it as JSON lines, oldest first').conflicts('limit'))
    .option('--after <id>', 'with --export: from behind this entry')
    .addHelpText(
      'after',
      '\nWith --follow oldest first; with --json an entry on each line. An export that is broken off\n' +
        'ends with exit code 1, and says where to go on.',
    )
    .action(async (options: AuditOptions, command: Command) => {
      const session = open(command)
      const { follow, export: whole, limit, after, ...filter } = options
      const auth = session.auth()
      const query = new URLSearchParams()
      for (const [name, value] of Object.entries(filter)) {
        query.set(name, `${value}`)
      }
      if (whole) {
        if (after !== undefined) {
          query.set('after', after)
        }
        return exportAudit(session, auth, query)
      }
      if (follow) {
        return followAudit(session, auth, query, limit ?? 10)
      }
      const { out } = session
      const { rows, more } = await firstRows(limit ?? 100, async (size, cursor) => {
        query.set('limit', `${size}`)
        if (cursor !== undefined) {
          query.set('cursor', cursor)
        }
        const { entries, ...rest } = await auth.call(AuditPage, `/v1/audit?${query}`)
        return { rows: entries, ...rest }
      })
      out.show({ entries: rows, more }, () => auditList(out, rows))
      if (more) {
        out.note('there are more; use --limit, or --export')
      }
    })
}

interface AuditOptions {
  actor?: string
  action?: string
  result?: string
  identity?: string
  from?: number
  to?: number
  limit?: number
  follow?: true
  export?: true
  after?: string
}
