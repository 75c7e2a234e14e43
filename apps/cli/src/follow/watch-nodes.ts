import { type NodeInfo, NodeList } from '@portcullis/contracts/feed'
import type { AuthApi } from '../api/auth-api.js'
import { CliError } from '../errors.js'
import { nodeListChanges, nodeTable } from '../output/nodes.js'
import { printable } from '../output/printable.js'
import { clock } from '../output/time.js'
import type { Session } from '../session/session.js'
import { pause } from './pause.js'

const everyMs = 1000

/**
 * Shows the nodes until the person stops it: on a terminal the table, drawn again in place; in a
 * pipe one line for each change; with --json the list as one line, once and at each change.
 *
 * @throws CliError when the first answer does not come, and whenever auth refuses the caller. Later
 * ones that do not come are said, and asked for again.
 */
export async function watchNodes({ out, shell }: Session, auth: AuthApi): Promise<void> {
  const stop = new AbortController()
  const stopListening = shell.onStop(() => stop.abort())
  let nodes: NodeInfo[] | undefined
  let trouble: string | undefined
  const line = (text: string) => out.line(`${out.paint.dim(clock(Date.now()))}  ${printable(text)}`)
  try {
    for (; !stop.signal.aborted; await pause(everyMs, stop.signal)) {
      const next = await read(auth)
      if (next instanceof CliError) {
        if (nodes === undefined || next.code === 'refused') {
          throw next
        }
        if (next.message !== trouble && out.live === undefined) {
          out.note(next.message)
        }
        trouble = next.message
      } else {
        const changes = nodeListChanges(nodes ?? [], next.nodes)
        const news = nodes === undefined || changes.length > 0
        if (out.json) {
          if (news) {
            out.show(next, () => '')
          }
        } else if (out.live === undefined) {
          for (const change of changes) {
            line(change)
          }
        }
        nodes = next.nodes
        trouble = undefined
      }
      const remark = trouble ?? `${clock(Date.now())}; Ctrl-C ends`
      out.live?.draw(`${nodeTable(out, nodes)}\n\n${out.paint.dim(remark)}`)
    }
  } finally {
    stopListening()
    out.live?.clear()
  }
  if (out.live !== undefined && nodes !== undefined) {
    out.line(nodeTable(out, nodes))
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
