import { NodeList } from '@portcullis/contracts/feed'
import type { Command } from 'commander'
import { watchNodes } from '../follow/watch-nodes.js'
import { nodeTable } from '../output/nodes.js'
import type { OpenSession } from '../session/session.js'

/** `portcullis nodes` */
export function nodesCommand(program: Command, open: OpenSession): void {
  program
    .command('nodes')
    .description('list realtime nodes and the state of their connection to auth')
    .option('--watch', 'update every second until Ctrl-C; in a pipe, print a line for each change')
    .addHelpText(
      'after',
      '\nStates of a node:\n' +
        '  connected  gets revocations at once\n' +
        '  away       has no connection to auth; revocations wait for it\n' +
        '  fenced     away for longer than its lease: it delivers nothing, and nothing waits for it',
    )
    .action(async ({ watch }: { watch?: true }, command: Command) => {
      const session = open(command)
      const { out } = session
      const auth = session.auth({
        scope: 'nodes:read',
        ...(watch && { lifetimeSeconds: 'identity' }),
      })
      if (watch) {
        return watchNodes(session, auth)
      }
      const list = await auth.call(NodeList, '/v1/nodes')
      out.show(list, () => nodeTable(out, list.nodes))
    })
}
