import { type AuditEntry, AuditPage } from '@portcullis/contracts/audit'
import type { AuthApi } from '../api/auth-api.js'
import { firstRows } from '../api/first-rows.js'
import { CliError } from '../errors.js'
import { auditLine } from '../output/audit.js'
import type { Session } from '../session/session.js'
import { pause } from './pause.js'

/** Auth answers with the next entry, or with none after so long. */
const waitMs = 20_000
const pauseAfterTroubleMs = 1000

/**
 * Shows the last `tail` entries, and each that comes, until the person stops it: a line for each,
 * with --json its JSON. No entry is left out or shown twice, whatever answer does not come.
 *
 * @throws CliError when the first answer does not come, and whenever auth refuses the caller.
 */
export async function followAudit(
  { out, shell }: Session,
  auth: AuthApi,
  filter: URLSearchParams,
  tail: number,
): Promise<void> {
  const stop = new AbortController()
  const stopListening = shell.onStop(() => stop.abort())
  const { signal } = stop
  const ask = (query: Readonly<Record<string, string>>) => {
    const path = `/v1/audit?${new URLSearchParams([...filter, ...Object.entries(query)])}`
    return auth.call(AuditPage, path, { timeoutMs: waitMs + 10_000, signal })
  }
  const show = (entry: AuditEntry) => out.show(entry, () => auditLine(out, entry))
  try {
    // The end of the log first: what comes while the last entries are read is read after them.
    const [newest] = (await auth.call(AuditPage, '/v1/audit?limit=1', { signal })).entries
    const last = await firstRows(tail, async (limit, cursor) => {
      const { entries, ...rest } = await ask({ limit: `${limit}`, ...(cursor && { cursor }) })
      return { rows: entries, ...rest }
    })
    for (const entry of last.rows.toReversed()) {
      show(entry)
    }
    let after = last.rows[0]?.id ?? newest?.id ?? '0.0'
    let trouble: string | undefined
    while (!signal.aborted) {
      try {
        const { entries, cursor } = await ask({ after, wait: `${waitMs}` })
        for (const entry of entries) {
          show(entry)
        }
        after = cursor ?? entries.at(-1)?.id ?? after
        trouble = undefined
      } catch (error) {
        if (!(error instanceof CliError) || error.code === 'refused') {
          throw error
        }
        if (signal.aborted) {
          break
        }
        if (error.message !== trouble) {
          out.note(error.message)
        }
        trouble = error.message
        await pause(pauseAfterTroubleMs, signal)
      }
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error
    }
  } finally {
    stopListening()
  }
}
