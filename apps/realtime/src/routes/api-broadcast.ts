import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { BroadcastRequest, PublishResult, permitsChannel } from '@portcullis/contracts'
import { replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { ApiAnswer, apiError } from './api-answer.js'
import { type Publish, publishInto } from './publish-into.js'

/** `POST /api/broadcast`: the same into many channels; `responses` has one answer for each, in order. */
export function apiBroadcast(app: FastifyInstance, publish: Publish): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/api/broadcast',
    {
      onRequest: app.admit(),
      schema: {
        summary: 'Publish the same into many channels',
        body: BroadcastRequest,
        response: {
          200: ApiAnswer(Type.Object({ responses: Type.Array(ApiAnswer(PublishResult)) })),
        },
      },
    },
    async ({ body: { channels, ...publication }, grant }) => {
      const responses = await Promise.all(
        channels.map(async (channel) =>
          permitsChannel(grant.scopes, grant.subject, 'publish', channel)
            ? publishInto(publish, channel, publication)
            : apiError(replyErrors.permissionDenied),
        ),
      )
      return { result: { responses } }
    },
  )
}
