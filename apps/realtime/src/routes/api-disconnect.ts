import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { DisconnectRequest, permits } from '@portcullis/contracts'
import { disconnectCodes } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { DisconnectUser } from '../hub/disconnect-user.js'
import { ApiAnswer, orInternal } from './api-answer.js'

/**
 * `POST /api/disconnect`: closes a user's connections on every node; revokes nothing. Without
 * `admin` it reaches only connections on tokens of the caller's own identity.
 */
export function apiDisconnect(
  app: FastifyInstance,
  disconnectEverywhere: (order: DisconnectUser) => Promise<void>,
): void {
  app.withTypeProvider<TypeBoxTypeProvider>().post(
    '/api/disconnect',
    {
      onRequest: app.admit({ scope: 'tokens:revoke' }),
      schema: {
        summary: "Close a user's connections",
        body: DisconnectRequest,
        response: { 200: ApiAnswer(Type.Object({})) },
      },
    },
    async ({ body: { user, client, disconnect = disconnectCodes.forceNoReconnect }, grant }) => {
      const order: DisconnectUser = {
        user,
        disconnect,
        ...(client === undefined ? {} : { client }),
        ...(permits(grant.scopes, 'admin') ? {} : { identity: grant.identity }),
      }
      return orInternal(disconnectEverywhere(order).then(() => ({})))
    },
  )
}
