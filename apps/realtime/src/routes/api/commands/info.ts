import { InfoNode } from '@portcullis/contracts/server-api'
import { Type } from '@sinclair/typebox'
import type { ApiCommand } from '../command.js'
import { orInternal } from '../reply.js'

const Result = Type.Object({ nodes: Type.Array(InfoNode) })

/** `info`: returns every node with its numbers of clients and channels; needs `nodes:read`. */
export function apiInfo(info: () => Promise<InfoNode[]>): ApiCommand<never, typeof Result> {
  return {
    name: 'info',
    summary: 'List the nodes',
    scope: 'nodes:read',
    result: Result,
    run: async () => orInternal(info().then((nodes) => ({ nodes }))),
  }
}
