import type { NodeReceipt, Receipt } from '@portcullis/contracts/revocations'
import { counted } from './counted.js'
import type { Output } from './output.js'
import { printable } from './printable.js'
import { relative } from './time.js'

/** Returns a receipt as text, with a table of the nodes. */
export function receiptText(out: Output, receipt: Receipt): string {
  const { paint } = out
  // Auth instances are listed only until they acknowledge.
  const auths = authParts(receipt).filter(({ state }) => state !== 'acked')
  const nodes = out.table<NodeReceipt>(
    [
      { head: 'NODE', value: ({ node }) => node },
      {
        head: 'STATE',
        value: (row) => row.state,
        whole: true,
        paint: (text) => stateColour(out, text),
      },
      { head: 'CLOSED', value: (row) => `${row.connectionsClosed}`, right: true },
      { head: 'MS', value: ({ ms }) => ms?.toFixed(1) ?? '', right: true },
    ],
    [...receipt.nodes, ...auths],
    'no realtime nodes',
  )
  const closed = receipt.nodes.reduce((sum, { connectionsClosed }) => sum + connectionsClosed, 0)
  const atLeast = receipt.atLeast ? 'at least ' : ''
  const head = `revoked ${atLeast}${counted(receipt.tokens, 'token')}, closed ${counted(closed, 'connection')}`
  const { replicas, replicasAsked } = receipt
  const state = receipt.complete ? 'complete' : 'not complete'
  return `${paint.bold(head)} ${stateColour(out, state)}\n${out.fields([
    ['receipt', receipt.id],
    ['at', new Date(receipt.at).toISOString()],
    ['covers', selectorText(receipt.selector)],
    ['reason', receipt.reason],
    ['replicas', replicas === undefined ? undefined : `${replicas} of ${replicasAsked} have it`],
  ])}\n\n${nodes}`
}

/** Returns a table of receipts. */
export function receiptList(out: Output, receipts: readonly Receipt[]): string {
  return out.table<Receipt>(
    [
      { head: 'RECEIPT', value: ({ id }) => id, whole: true },
      {
        head: 'STATE',
        value: ({ complete }) => (complete ? 'complete' : 'not complete'),
        whole: true,
        paint: (text) => stateColour(out, text),
      },
      { head: 'NODES', value: nodeCounts },
      { head: 'TOKENS', value: ({ tokens }) => `${tokens}`, right: true },
      { head: 'REVOKED', value: ({ at }) => relative(at), whole: true },
      { head: 'COVERS', value: ({ selector }) => selectorText(selector) },
      { head: 'REASON', value: ({ reason = '' }) => reason },
    ],
    receipts,
    'no revocations',
  )
}

/** Returns the nodes and auth instances that an incomplete receipt waits for. */
export function waitingText(receipt: Receipt): string {
  const late = pendingParts(receipt)
  return late.length === 0 ? 'not complete' : `waiting for ${late.join(', ')}`
}

/** Returns the names of the nodes and auth instances that have not confirmed. */
export function pendingParts(receipt: Receipt): string[] {
  const parts = [...receipt.nodes, ...authParts(receipt)]
  return parts.filter(({ state }) => state === 'pending').map(({ node }) => node)
}

/** Returns the parts of auth instances in the shape of node parts; they hold no connections. */
function authParts({ auths }: Receipt): NodeReceipt[] {
  return auths.map(({ auth, ...part }) => ({ node: `auth ${auth}`, connectionsClosed: 0, ...part }))
}

/** Returns a line for each node whose state has changed. */
export function nodeChanges(before: Receipt, after: Receipt): string[] {
  const states = (name: string) => before.nodes.filter(({ node }) => node === name)
  const seen = new Map<string, number>()
  return after.nodes.flatMap((now) => {
    // Two processes can have the same name: compare the n-th of each name.
    const nth = seen.get(now.node) ?? 0
    seen.set(now.node, nth + 1)
    return states(now.node)[nth]?.state === now.state ? [] : [nodeText(now)]
  })
}

function nodeText({ node, state, connectionsClosed, ms }: NodeReceipt): string {
  const after = ms === undefined ? '' : ` after ${ms.toFixed(1)} ms`
  if (state === 'pending') {
    return `${node} pending`
  }
  if (state === 'fenced') {
    return `${node} fenced${after}: its lease has expired, it delivers nothing`
  }
  return `${node} acked${after}, closed ${counted(connectionsClosed, 'connection')}`
}

/** Paints pending yellow, fenced (confirmed by an expired lease) cyan, and acked green. */
function stateColour({ paint }: Output, text: string): string {
  if (text.startsWith('pending') || text.startsWith('not')) {
    return paint.yellow(text)
  }
  return text.startsWith('fenced') ? paint.cyan(text) : paint.green(text)
}

function nodeCounts({ nodes }: Receipt): string {
  return (['acked', 'fenced', 'pending'] as const)
    .map((state) => [nodes.filter((node) => node.state === state).length, state] as const)
    .filter(([number]) => number > 0)
    .map(([number, state]) => `${number} ${state}`)
    .join(', ')
}

/** Describes a selector. */
export function selectorText(selector: object): string {
  const parts = Object.entries(selector).map(([name, value]) =>
    name === 'all'
      ? 'every token'
      : name === 'cascade'
        ? 'tokens issued with it'
        : `${name} ${printable(String(value))}`,
  )
  return parts.join(', ')
}
