import { type NodeInfo, NodeList } from '@portcullis/contracts'
import type { Command } from 'commander'
import { relative } from '../output/time.js'
import type { OpenSession } from '../session.js'

/** `portcullis nodes`: the realtime nodes that auth tells of revocations. */
export function nodesCommand(program: Command, open: OpenSession): void {
  program
    .command('nodes')
    .description('realtime nodes, and whether auth reaches them')
    .action(async (_options: object, command: Command) => {
      const { auth, out } = open(command)
      const { paint } = out
      const list = await auth().call(NodeList, '/v1/nodes')
      out.show(list, () =>
        out.table<NodeInfo>(
          [
            { head: 'NODE', value: ({ node }) => node },
            {
              head: 'STATE',
              value: ({ connected }) => (connected ? 'connected' : 'away'),
              whole: true,
              paint: (text) => (text.startsWith('connected') ? paint.green(text) : paint.red(text)),
            },
            { head: 'PENDING', value: ({ pending }) => `${pending}`, right: true },
            { head: 'SINCE', value: ({ since }) => relative(since), whole: true },
            { head: 'URL', value: ({ url = '' }) => url },
          ],
          list.nodes,
          'no realtime nodes',
        ),
      )
    })
}
