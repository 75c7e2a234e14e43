import { SigningKeyList } from '@portcullis/contracts/keys'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

/** `GET /v1/keys` */
export const list: Route = async (app) => {
  app.get(
    '/v1/keys',
    {
      config: { audit: 'key.read' },
      onRequest: app.allow('keys:write'),
      schema: {
        summary: 'List signing keys: next, current, previous; without private members',
        response: { 200: SigningKeyList, ...problemResponses },
      },
    },
    async () => {
      await app.tokens.keys.refresh()
      return { keys: app.tokens.keys.list() }
    },
  )
}
