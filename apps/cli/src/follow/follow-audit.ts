import { type AuditEntry, AuditPage } from '@portcullis/contracts/audit'
import { defined } from '@portcullis/contracts/defined'
import type { AuthApi } from '../api/auth-api.js'
import { firstRows } from '../api/first-rows.js'
import { CliError } from '../errors.js'
import { auditLine } from '../output/audit.js'
import type { Session } from '../session/session.js'
import { pause } from './pause.js'

/** How long auth waits for an entry before it answers with none. */
const waitMs = 20_000
const pauseAfterErrorMs = 1000

/**
 * Prints the last `tail` entries and then each new one, until Ctrl-C: a line for each, JSON with
 * `--json`. Each entry is printed exactly once, also when requests fail and are repeated.
 *
 * @throws CliError when the first request fails, or auth refuses the caller.
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
  const show = (entry: AuditEntry) => out.show(entry, () => auditLine(out, entry))
  const reader = auditReader(auth, filter, signal)
  try {
    let after = await showTail(auth, reader, { tail, show, signal })
    let lastError: string | undefined
    while (!signal.aborted) {
      try {
        const { entries, cursor } = await reader({ after, wait: `${waitMs}` })
        for (const entry of entries) {
          show(entry)
        }
        after = cursor ?? entries.at(-1)?.id ?? after
        lastError = undefined
      } catch (error) {
        if (!(error instanceof CliError) || error.code === 'refused') {
          throw error
        }
        if (signal.aborted) {
          break
        }
        if (error.message !== lastError) {
          out.note(error.message)
        }
        lastError = error.message
        await pause(pauseAfterErrorMs, signal)
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

type AuditReader = (query: Readonly<Record<string, string>>) => Promise<AuditPage>

function auditReader(auth: AuthApi, filter: URLSearchParams, signal: AbortSignal): AuditReader {
  return (query) => {
    const path = `/v1/audit?${new URLSearchParams([...filter, ...Object.entries(query)])}`
    return auth.call(AuditPage, path, { timeoutMs: waitMs + 10_000, signal })
  }
}

/** Prints the last `tail` entries and returns the id to continue after. */
async function showTail(
  auth: AuthApi,
  reader: AuditReader,
  { tail, show, signal }: { tail: number; show: (entry: AuditEntry) => void; signal: AbortSignal },
): Promise<string> {
  // Order: find the end of the log first, so that an entry appended meanwhile is read afterwards.
  const [newest] = (await auth.call(AuditPage, '/v1/audit?limit=1', { signal })).entries
  const last = await firstRows(tail, async (limit, cursor) => {
    const { entries, ...rest } = await reader({ limit: `${limit}`, ...defined({ cursor }) })
    return { rows: entries, ...rest }
  })
  for (const entry of last.rows.toReversed()) {
    show(entry)
  }
  return last.rows[0]?.id ?? newest?.id ?? '0.0'
}
