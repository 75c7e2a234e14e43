import { InfoNode } from '@portcullis/contracts/server-api'
import { Type } from '@sinclair/typebox'
import { orInternal } from '../answer.js'
import type { ApiCommand } from '../command.js'

const Result = Type.Object({ nodes: Type.Array(InfoNode) })

/** `info`: every node, and how much is on it; needs `nodes:read`. */
export function apiInfo(info: () => Promise<InfoNode[]>): ApiCommand<never, typeof Result> {
  return {
    name: 'info',
    summary: 'List the nodes',
    scope: 'nodes:read',
    result: Result,
    run: async () => orInternal(info().then((nodes) => ({ nodes }))),
  }
}
