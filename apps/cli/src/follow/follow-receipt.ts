import { Receipt } from '@portcullis/contracts/revocations'
import type { AuthApi } from '../api/auth-api.js'
import { CliError } from '../errors.js'
import { nodeChanges, pendingParts, receiptText, waitingText } from '../output/receipt.js'
import type { Session } from '../session/session.js'
import { pause } from './pause.js'

/** Nodes usually confirm within milliseconds: the first reads are close together. */
const firstPauseMs = 25
const maxPauseMs = 150

/**
 * Reads a receipt again until it is complete, at most for `waitMs` or until Ctrl-C, and shows each
 * change: a terminal redraws the receipt in place, a pipe gets a line on stderr for each node that
 * changed. Returns the last receipt, which the caller prints.
 *
 * A failed read is repeated: the revocation is already committed.
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
  const printLines = (lines: readonly string[]) => {
    if (!out.json && out.live === undefined) {
      for (const line of lines) {
        out.note(line)
      }
    }
  }

  let receipt = first
  let lastError: string | undefined
  try {
    printLines([`receipt ${first.id}: ${waitingText(first)}`])
    for (let pauseMs = firstPauseMs; !receipt.complete && remainingMs() > 0; ) {
      const seconds = (remainingMs() / 1000).toFixed(1)
      const status = `${lastError ?? waitingText(receipt)}; ${seconds} s left`
      out.live?.draw(`${receiptText(out, receipt)}\n\n${out.paint.dim(status)}`)
      await pause(Math.min(pauseMs, remainingMs()), stop.signal)
      pauseMs = Math.min(pauseMs * 2, maxPauseMs)
      const next = await read(auth, first.id, remainingMs())
      if (next instanceof CliError) {
        if (next.message !== lastError) {
          printLines([next.message])
        }
        lastError = next.message
        if (next.code === 'refused') {
          break
        }
      } else {
        lastError = undefined
        printLines(nodeChanges(receipt, next))
        receipt = next
      }
    }
  } finally {
    stopListening()
    out.live?.clear()
  }
  if (lastError !== undefined && out.live !== undefined) {
    out.note(lastError)
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
 * Checks the receipt for the exit code.
 *
 * @param waitMs - with 0 the user did not wait, so pending nodes are no failure
 * @throws CliError when a node has not confirmed, or fewer Redis replicas than requested have it
 */
export function requireConfirmed(receipt: Receipt, waitMs: number): void {
  const pending = pendingParts(receipt)
  const missing: string[] = []
  if (waitMs > 0 && pending.length > 0) {
    missing.push(`not yet confirmed by ${pending.join(', ')}`)
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
