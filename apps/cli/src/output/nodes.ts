import type { NodeInfo } from '@portcullis/contracts/feed'
import type { Output } from './output.js'
import { relative } from './time.js'

/** Returns a table of nodes. */
export function nodeTable(out: Output, nodes: readonly NodeInfo[]): string {
  return out.table<NodeInfo>(
    [
      { head: 'NODE', value: ({ node }) => node },
      {
        head: 'STATE',
        value: nodeState,
        whole: true,
        paint: (text) => stateColour(out, text),
      },
      { head: 'PENDING', value: ({ pending }) => `${pending}`, right: true },
      { head: 'SINCE', value: ({ since }) => relative(since), whole: true },
      { head: 'URL', value: ({ url = '' }) => url },
    ],
    nodes,
    'no realtime nodes',
  )
}

/** Returns a line for each node that has changed or is gone. */
export function nodeListChanges(before: readonly NodeInfo[], after: readonly NodeInfo[]): string[] {
  const nameOf = ({ node, instance }: NodeInfo) => `${instance}:${node}`
  const text = (one: NodeInfo) => `${one.node}  ${nodeState(one)}  ${one.pending} pending`
  const known = new Map(before.map((one) => [nameOf(one), text(one)]))
  const now = new Set(after.map(nameOf))
  return [
    ...before.filter((one) => !now.has(nameOf(one))).map(({ node }) => `${node}  gone`),
    ...after.filter((one) => known.get(nameOf(one)) !== text(one)).map(text),
  ]
}

function nodeState({ connected, fenced }: NodeInfo): string {
  if (fenced) {
    return 'fenced'
  }
  return connected ? 'connected' : 'away'
}

/** Paints `fenced` cyan: the node delivers nothing, so it is safe, but it serves no client. */
function stateColour({ paint }: Output, text: string): string {
  if (text.startsWith('fenced')) {
    return paint.cyan(text)
  }
  return text.startsWith('connected') ? paint.green(text) : paint.red(text)
}
