import { type NodeInfo, NodeList } from '@portcullis/contracts/feed'
import type { AuthApi } from '../api/auth-api.js'
import { CliError } from '../errors.js'
import { nodeListChanges, nodeTable } from '../output/nodes.js'
import { printable } from '../output/printable.js'
import { clock } from '../output/time.js'
import type { Session } from '../session/session.js'
import { pause } from './pause.js'

const intervalMs = 1000

/**
 * Shows the nodes until Ctrl-C: a terminal redraws the table in place, a pipe gets one line for each
 * change, `--json` the whole list as one line at each change.
 *
 * @throws CliError when the first request fails, or auth refuses the caller. Later failures are shown
 * and retried.
 */
export async function watchNodes({ out, shell }: Session, auth: AuthApi): Promise<void> {
  const stop = new AbortController()
  const stopListening = shell.onStop(() => stop.abort())
  let nodes: NodeInfo[] | undefined
  let lastError: string | undefined
  try {
    for (; !stop.signal.aborted; await pause(intervalMs, stop.signal)) {
      const next = await read(auth)
      if (next instanceof CliError) {
        if (nodes === undefined || next.code === 'refused') {
          throw next
        }
        if (next.message !== lastError && out.live === undefined) {
          out.note(next.message)
        }
        lastError = next.message
      } else {
        showChanges(out, nodes, next)
        nodes = next.nodes
        lastError = undefined
      }
      const status = lastError ?? `${clock(Date.now())}; stop with Ctrl-C`
      out.live?.draw(`${nodeTable(out, nodes)}\n\n${out.paint.dim(status)}`)
    }
  } finally {
    stopListening()
    out.live?.clear()
  }
  if (out.live !== undefined && nodes !== undefined) {
    out.line(nodeTable(out, nodes))
  }
}

/** Prints what has changed since the list `before`; a live terminal is redrawn by the caller. */
function showChanges(out: Session['out'], before: NodeInfo[] | undefined, next: NodeList): void {
  const changes = nodeListChanges(before ?? [], next.nodes)
  if (out.json) {
    if (before === undefined || changes.length > 0) {
      out.show(next, () => '')
    }
  } else if (out.live === undefined) {
    for (const change of changes) {
      out.line(`${out.paint.dim(clock(Date.now()))}  ${printable(change)}`)
    }
  }
}

async function read(auth: AuthApi): Promise<NodeList | CliError> {
  try {
    return await auth.call(NodeList, '/v1/nodes')
  } catch (error) {
    if (error instanceof CliError) {
      return error
    }
    throw error
  }
}
