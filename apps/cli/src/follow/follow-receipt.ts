import { Receipt } from '@portcullis/contracts/revocations'
import type { AuthApi } from '../api/auth-api.js'
import { CliError } from '../errors.js'
import { nodeChanges, pendingParts, receiptText, waitingText } from '../output/receipt.js'
import type { Session } from '../session/session.js'
import { pause } from './pause.js'

/** The first look comes soon, for nodes that need milliseconds; then they come this far apart. */
const firstPauseMs = 25
const longestPauseMs = 150

/**
 * Reads a receipt again until it is complete, for `waitMs` at most or until the person stops it,
 * and shows each change: on a terminal the receipt drawn again in place, else one line for each
 * node that changed, on stderr. Gives the last receipt, for the caller to show.
 *
 * An answer that does not come is no reason to stop: the revocation goes on without us.
 */
export async function followReceipt(
  { out, shell }: Session,
  auth: AuthApi,
  first: Receipt,
  waitMs: number,
): Promise<Receipt> {
  if (first.complete || waitMs === 0) {
    return first
  }
  const stop = new AbortController()
  const stopListening = shell.onStop(() => stop.abort())
  const deadline = performance.now() + waitMs
  const remainingMs = () => (stop.signal.aborted ? 0 : deadline - performance.now())
  const tell = (lines: readonly string[]) => {
    if (!out.json && out.live === undefined) {
      for (const line of lines) {
        out.note(line)
      }
    }
  }

  let receipt = first
  let trouble: string | undefined
  try {
    tell([`receipt ${first.id}: ${waitingText(first)}`])
    for (let pauseMs = firstPauseMs; !receipt.complete && remainingMs() > 0; ) {
      const left = `${trouble ?? waitingText(receipt)}; ${(remainingMs() / 1000).toFixed(1)} s left`
      out.live?.draw(`${receiptText(out, receipt)}\n\n${out.paint.dim(left)}`)
      await pause(Math.min(pauseMs, remainingMs()), stop.signal)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      const next = await read(auth, first.id, remainingMs())
      if (next instanceof CliError) {
        if (next.message !== trouble) {
          tell([next.message])
        }
        trouble = next.message
        if (next.code === 'refused') {
          break
        }
      } else {
        trouble = undefined
        tell(nodeChanges(receipt, next))
        receipt = next
      }
    }
  } finally {
    stopListening()
    out.live?.clear()
  }
  if (trouble !== undefined && out.live !== undefined) {
    out.note(trouble)
  }
  return receipt
}

async function read(auth: AuthApi, id: string, remainingMs: number): Promise<Receipt | CliError> {
  const timeoutMs = Math.max(1000, Math.ceil(remainingMs))
  try {
    return await auth.call(Receipt, `/v1/revocations/${id}`, { timeoutMs })
  } catch (error) {
    if (error instanceof CliError) {
      return error
    }
    throw error
  }
}

/**
 * What the exit code says of a receipt.
 *
 * @param waitMs - 0: nobody waited, so that nodes are late is no failure
 * @throws CliError when a node has not confirmed, or fewer Redis replicas than asked have it
 */
export function requireConfirmed(receipt: Receipt, waitMs: number): void {
  const late = pendingParts(receipt)
  const missing: string[] = []
  if (waitMs > 0 && late.length > 0) {
    missing.push(`not yet confirmed by ${late.join(', ')}`)
  } else if (waitMs > 0 && !receipt.complete) {
    missing.push('the receipt is not complete')
  }
  const { replicas, replicasAsked = 0 } = receipt
  if (replicas !== undefined && replicas < replicasAsked) {
    missing.push(`only ${replicas} of ${replicasAsked} Redis replicas have it`)
  }
  if (missing.length > 0) {
    throw new CliError('failed', `revoked, but ${missing.join(', and ')}`)
  }
}
