import { once } from 'node:events'
import type { AuthApi } from '../api/auth-api.js'
import { CliError } from '../errors.js'
import type { Session } from '../session/session.js'

/**
 * Writes the audit log to stdout as it comes, JSON lines, no faster than they are taken.
 *
 * @throws CliError when it is broken off, saying where to go on: the lines before are whole.
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
    throw brokenOff(last)
  }
  if (rest !== '') {
    throw brokenOff(last)
  }
}

function brokenOff(last: string | undefined): CliError {
  const id = /"id":"([\d.]+)"/.exec(last ?? '')?.[1]
  const hint = id === undefined ? 'start again' : `go on with --after ${id}`
  return new CliError('failed', `the export was broken off; ${hint}`)
}
