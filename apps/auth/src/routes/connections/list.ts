import {
  byPlace,
  type ConnectedToken,
  ConnectionPage,
  ListConnections,
  type TokenPlace,
} from '@portcullis/contracts/connections'
import { AuthError } from '../../errors.js'
import type { NodeReply } from '../../feed/inquiries.js'
import { describeTokens } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import { selectorOf } from '../revocations/selector.js'
import type { Route } from '../route.js'
import { pageUnits } from '../units.js'

/** `GET /v1/connections?identity=…` */
export const list: Route = async (app) => {
  app.get(
    '/v1/connections',
    {
      config: { audit: 'token.read', units: pageUnits },
      onRequest: app.allow('tokens:read'),
      schema: {
        summary: 'List tokens that live connections stand on, asked of every node',
        description:
          'Nodes that do not answer within `wait` milliseconds, or cannot be asked, are named in `nodes`, and `complete` is false.',
        querystring: ListConnections,
        response: { 200: ConnectionPage, ...problemResponses },
      },
    },
    async (request) => {
      const { limit = 100, wait = 1000, cursor, ...named } = request.query
      const after = cursor === undefined ? undefined : placeOf(cursor)
      const isAll = Object.keys(named).length === 0
      const replies = await app.inquiries.ask(
        {
          selector: selectorOf(app.tokens, isAll ? { all: true } : named),
          // One more shows that there is a next page.
          limit: limit + 1,
          ...(after === undefined ? {} : { after }),
        },
        wait,
      )
      const tokens = merged(replies)
      const page = tokens.slice(0, limit)
      const known = await describeTokens(
        app.registry,
        page.map(({ jti }) => jti),
      )
      const last = page.at(-1)
      return {
        tokens: page.map(({ issuedUs, ...token }) => {
          const { identity, subject, labels } = known.get(token.jti) ?? {}
          return {
            ...token,
            ...(identity === undefined ? {} : { identity }),
            ...(subject === undefined ? {} : { subject }),
            ...(labels === undefined ? {} : { labels }),
          }
        }),
        ...(tokens.length > limit && last !== undefined
          ? { cursor: `${last.issuedUs}.${last.jti}` }
          : {}),
        connections: replies.reduce((sum, { answer }) => sum + (answer?.connections ?? 0), 0),
        complete: replies.every(({ state }) => state === 'answered'),
        nodes: replies.map(({ node, state, answer }) => ({
          node,
          state,
          ...(answer === undefined ? {} : { connections: answer.connections }),
        })),
      }
    },
  )
}

/** The first of each node's tokens, in one list: what is first of all is among them. */
function merged(replies: readonly NodeReply[]): (ConnectedToken & TokenPlace)[] {
  const tokens = new Map<string, ConnectedToken & TokenPlace>()
  for (const { node, answer } of replies) {
    for (const { jti, issuedUs, connections, since } of answer?.tokens ?? []) {
      const token = tokens.get(jti) ?? { jti, issuedUs, connections: 0, since, nodes: [] }
      token.connections += connections
      token.since = Math.min(token.since, since)
      token.nodes.push({ node, connections })
      tokens.set(jti, token)
    }
  }
  return [...tokens.values()].sort(byPlace)
}

function placeOf(cursor: string): TokenPlace {
  const [, us, jti] = /^([0-9]{1,16})\.([0-9]{1,5}-[A-Za-z0-9_-]{22})$/.exec(cursor) ?? []
  if (us === undefined || jti === undefined) {
    throw new AuthError(
      'invalid_request',
      'the cursor is not one that a previous page gave; leave it out to start from the beginning',
    )
  }
  return { issuedUs: Number(us), jti }
}
