import type { Command } from 'commander'
import type { Check } from '../doctor/check.js'
import { checkCounts, checkText } from '../doctor/check-text.js'
import { examine } from '../doctor/examine.js'
import { CliError } from '../errors.js'
import type { OpenSession } from '../session/session.js'

/** `portcullis doctor` */
export function doctorCommand(program: Command, open: OpenSession): void {
  program
    .command('doctor')
    .description('check the whole installation and say what to change')
    .addHelpText(
      'after',
      '\nChecks the configuration, auth, your credentials, clocks, realtime nodes, certificates, and the\n' +
        'settings of the registry’s Redis that the revocation guarantee needs. Changes nothing. The\n' +
        'checks of nodes and Redis need the scope nodes:read. The Redis of the realtime nodes is not\n' +
        'checked, except for what the nodes report themselves (/ready).\n\n' +
        'Exit code 1 when a check has failed; warnings do not count.',
    )
    .action(async (_options: unknown, command: Command) => {
      const session = open(command)
      const { out, shell } = session
      const checks: Check[] = []
      const { isTTY, columns } = shell.stdout
      const width = isTTY ? columns : undefined
      for await (const check of examine(session, {
        node: process.version,
        platform: process.platform,
      })) {
        checks.push(check)
        if (!out.json) {
          out.line(checkText(out, check, width))
        }
      }
      const failures = checks.filter(({ verdict }) => verdict === 'failed').length
      out.show({ ok: failures === 0, checks }, () => `\n${checkCounts(checks)}`)
      if (failures > 0) {
        throw new CliError('failed', `${failures} of ${checks.length} checks failed`)
      }
    })
}
