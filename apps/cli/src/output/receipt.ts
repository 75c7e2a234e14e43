import type { DryRun, NodeReceipt, Receipt } from '@portcullis/contracts'
import type { Output } from './output.js'
import { printable } from './printable.js'

/** What became of a revocation, node by node. */
export function receiptText(out: Output, receipt: Receipt | DryRun): string {
  const { paint } = out
  if ('dryRun' in receipt) return `would revoke ${count(receipt.tokens, 'token')}`
  const state = receipt.complete ? paint.green('complete') : paint.yellow('not complete')
  const nodes = out.table<NodeReceipt>(
    [
      { head: 'NODE', value: ({ node }) => node },
      {
        head: 'STATE',
        value: (row) => row.state,
        whole: true,
        paint: (text) => (text.startsWith('pending') ? paint.yellow(text) : paint.green(text)),
      },
      { head: 'CLOSED', value: (row) => `${row.connectionsClosed}`, right: true },
      { head: 'MS', value: ({ ms }) => ms?.toFixed(1) ?? '', right: true },
    ],
    receipt.nodes,
    'no realtime nodes',
  )
  const closed = receipt.nodes.reduce((sum, { connectionsClosed }) => sum + connectionsClosed, 0)
  const head = `revoked ${count(receipt.tokens, 'token')}, closed ${count(closed, 'connection')}`
  return `${paint.bold(head)} ${state}\n${out.fields([
    ['receipt', receipt.id],
    ['covers', covers(receipt.selector)],
    ['reason', receipt.reason],
  ])}\n\n${nodes}`
}

function covers(selector: Receipt['selector']): string {
  const parts = Object.entries(selector).map(([name, value]) =>
    name === 'all' ? 'every token' : `${name} ${printable(String(value))}`,
  )
  return parts.join(', ')
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}
