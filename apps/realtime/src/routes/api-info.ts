import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { InfoNode } from '@portcullis/contracts'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { ApiAnswer, orInternal } from './api-answer.js'

/** `POST /api/info`: every node, and how much is on it. */
export function apiInfo(app: FastifyInstance, info: () => Promise<InfoNode[]>): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/api/info',
    {
      onRequest: app.admit({ scope: 'nodes:read' }),
      schema: {
        summary: 'List the nodes',
        response: { 200: ApiAnswer(Type.Object({ nodes: Type.Array(InfoNode) })) },
      },
    },
    async () => orInternal(info().then((nodes) => ({ nodes }))),
  )
}
