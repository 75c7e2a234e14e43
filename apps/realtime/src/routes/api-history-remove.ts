import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { ChannelRequest, permitsChannel } from '@portcullis/contracts'
import { replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { ApiAnswer, apiError, orInternal } from './api-answer.js'

/** `POST /api/history_remove`: forgets what a channel keeps; needs `publish:<channel>`. */
export function apiHistoryRemove(
  app: FastifyInstance,
  remove: (channel: string) => Promise<void>,
): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/api/history_remove',
    {
      onRequest: app.admit(),
      schema: {
        summary: 'Forget what a channel keeps',
        body: ChannelRequest,
        response: { 200: ApiAnswer(Type.Object({})) },
      },
    },
    async ({ body: { channel }, grant }) => {
      if (!permitsChannel(grant.scopes, grant.subject, 'publish', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      return orInternal(remove(channel).then(() => ({})))
    },
  )
}
