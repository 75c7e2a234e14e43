import type { FastifyBaseLogger } from 'fastify'
import type { Node } from '../connection/node.js'
import { type Counts, countClose } from './counts.js'

/** Returns the callbacks that count and log what happens to connections. */
export function observeNode(
  counts: Counts,
  log: FastifyBaseLogger,
): Pick<Node, 'onClosed' | 'onLimited' | 'onFault'> {
  return {
    onClosed: ({ id, identity, subject }, { code, reason }) => {
      countClose(counts, code)
      log.debug({ client: id, identity, subject, code, reason }, 'closed')
    },
    onLimited: (_connection, commands) => {
      counts.limited.commands += commands
    },
    onFault: ({ id }, error) => log.error({ client: id, err: error }, 'connection failed'),
  }
}
