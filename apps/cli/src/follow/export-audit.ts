import { once } from 'node:events'
import type { AuthApi } from '../api/auth-api.js'
import { CliError } from '../errors.js'
import type { Session } from '../session/session.js'

/**
 * Writes the audit log to stdout as JSON lines, at the pace of the reader. Only whole lines are
 * written.
 *
 * @throws CliError when the export is interrupted; the message names the entry to continue after.
 */
export async function exportAudit(
  { shell }: Session,
  auth: AuthApi,
  query: URLSearchParams,
): Promise<void> {
  const { stdout } = shell
  let last: string | undefined
  let rest = ''
  try {
    for await (const text of await auth.stream(`/v1/audit/export?${query}`)) {
      const lines = `${rest}${text}`.split('\n')
      rest = lines.pop() ?? ''
      if (lines.length === 0) {
        continue
      }
      last = lines.at(-1)
      if (!stdout.write(`${lines.join('\n')}\n`)) {
        await once(stdout, 'drain')
      }
    }
  } catch (error) {
    if (error instanceof CliError) {
      throw error
    }
    throw interrupted(last)
  }
  if (rest !== '') {
    throw interrupted(last)
  }
}

function interrupted(last: string | undefined): CliError {
  const id = /"id":"([\d.]+)"/.exec(last ?? '')?.[1]
  const hint = id === undefined ? 'start again' : `continue with --after ${id}`
  return new CliError('failed', `the export was interrupted; ${hint}`)
}
