import { AuditPage } from '@portcullis/contracts/audit'
import { type Command, Option } from 'commander'
import type { AuthApi } from '../api/auth-api.js'
import { firstRows, pageQuery } from '../api/first-rows.js'
import { exportAudit } from '../follow/export-audit.js'
import { followAudit } from '../follow/follow-audit.js'
import { timestamp, wholeNumber } from '../options/parsers.js'
import { auditList } from '../output/audit.js'
import type { Output } from '../output/output.js'
import type { OpenSession } from '../session/session.js'

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

/** `portcullis audit` */
export function auditCommand(program: Command, open: OpenSession): void {
  program
    .command('audit')
    .description('show the audit log, newest entry first')
    .option('--actor <identity>', 'only requests by this identity')
    .option('--action <action>', 'only this action (identity.suspend), or all of a noun (identity)')
    .addOption(
      new Option('--result <result>', 'only with this result').choices(['ok', 'refused', 'failed']),
    )
    .option('--identity <identity>', 'only requests that concern this identity')
    .option('--from <time>', 'only at or after this time (ISO 8601 or Unix ms)', timestamp)
    .option('--to <time>', 'only before this time', timestamp)
    .option('--limit <n>', 'show at most this many; default 100, 10 with --follow', wholeNumber(1))
    .addOption(new Option('--follow', 'also show each new entry, until Ctrl-C').conflicts('export'))
    .addOption(
      new Option('--export', 'write all entries as JSON lines, oldest first').conflicts('limit'),
    )
    .option('--after <id>', 'with --export: start after this entry')
    .addHelpText(
      'after',
      '\n--follow shows the oldest entry first, and with --json one entry on each line. An interrupted\n' +
        'export has exit code 1 and names the entry to continue after.',
    )
    .action(async (options: AuditOptions, command: Command) => {
      const session = open(command)
      const { follow, export: all, limit, after, ...filter } = options
      const auth = session.auth({
        scope: 'audit:read',
        ...((all || follow) && { lifetimeSeconds: 'identity' }),
      })
      const query = new URLSearchParams()
      for (const [name, value] of Object.entries(filter)) {
        query.set(name, `${value}`)
      }
      if (all) {
        if (after !== undefined) {
          query.set('after', after)
        }
        return exportAudit(session, auth, query)
      }
      if (follow) {
        return followAudit(session, auth, query, limit ?? 10)
      }
      return listAudit(session.out, auth, query, limit ?? 100)
    })
}

async function listAudit(
  out: Output,
  auth: AuthApi,
  query: URLSearchParams,
  limit: number,
): Promise<void> {
  const { rows, more } = await firstRows(limit, async (size, cursor) => {
    const path = `/v1/audit?${pageQuery(query, size, cursor)}`
    const { entries, ...rest } = await auth.call(AuditPage, path)
    return { rows: entries, ...rest }
  })
  out.show({ entries: rows, more }, () => auditList(out, rows))
  if (more) {
    out.note('there are more; raise --limit, or use --export')
  }
}
