import { ClientInformation } from '@portcullis/contracts'
import { findClient } from '../../../registry/index.js'
import { oauthAnswers } from '../../answers.js'
import type { Route } from '../../route.js'
import { informationOf } from './information.js'
import { ClientParams, registrationToken, required } from './registered.js'

/** `GET /oauth/register/:client_id` (RFC 7592 §2.1) */
export const get: Route = async (app) => {
  app.get(
    '/oauth/register/:client_id',
    {
      schema: {
        summary: 'Read a registration, by its registration access token',
        params: ClientParams,
        response: { 200: ClientInformation, ...oauthAnswers },
      },
    },
    async (request) => {
      const token = registrationToken(request.headers.authorization)
      const identity = required(await findClient(app.registry, request.params.client_id, token))
      return informationOf(app, identity, { registrationToken: token })
    },
  )
}
