import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { PublishRequest, PublishResult, permitsChannel } from '@portcullis/contracts'
import { replyErrors } from '@portcullis/protocol'
import type { FastifyInstance } from 'fastify'
import { ApiAnswer, apiError } from './api-answer.js'
import { type Publish, publishInto } from './publish-into.js'

/** `POST /api/publish`: into one channel; needs `publish:<channel>`. */
export function apiPublish(app: FastifyInstance, publish: Publish): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/api/publish',
    {
      onRequest: app.admit(),
      schema: {
        summary: 'Publish into a channel',
        body: PublishRequest,
        response: { 200: ApiAnswer(PublishResult) },
      },
    },
    async ({ body: { channel, ...publication }, grant }) => {
      if (!permitsChannel(grant.scopes, grant.subject, 'publish', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      return publishInto(publish, channel, publication)
    },
  )
}
