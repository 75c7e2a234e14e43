import type { ConnectedToken, ConnectionPage } from '@portcullis/contracts/connections'
import { counted } from './counted.js'
import type { Output } from './output.js'
import { relative } from './time.js'

/** Returns a table of tokens and the connections that use them. */
export function connectionsText(
  out: Output,
  { tokens, connections, nodes }: Omit<ConnectionPage, 'cursor'>,
): string {
  const rows = out.table<ConnectedToken>(
    [
      { head: 'JTI', value: ({ jti }) => jti, whole: true },
      { head: 'IDENTITY', value: ({ identity }) => identity ?? '(gone)' },
      { head: 'SUBJECT', value: ({ subject }) => subject ?? '' },
      { head: 'CONNECTIONS', value: (row) => `${row.connections}`, right: true },
      { head: 'SINCE', value: ({ since }) => relative(since), whole: true },
      { head: 'NODES', value: (row) => row.nodes.map((one) => one.node).join(' ') },
    ],
    tokens,
    'no connections',
  )
  const answered = nodes.filter(({ state }) => state === 'answered').length
  const head = `${counted(connections, 'connection')} on ${counted(answered, 'node')}`
  return `${out.paint.bold(head)}\n\n${rows}`
}
