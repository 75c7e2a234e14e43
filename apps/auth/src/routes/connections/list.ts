import {
  byPlace,
  type ConnectedToken,
  ConnectionPage,
  ListConnections,
  type TokenPlace,
} from '@portcullis/contracts/connections'
import { defined } from '@portcullis/contracts/defined'
import { tokenIdPattern } from '@portcullis/contracts/names'
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
        summary: 'List the tokens that live connections use, by asking every node',
        description:
          'If a node does not answer within `wait` milliseconds, or cannot be asked, `nodes` says so and `complete` is false.',
        querystring: ListConnections,
        response: { 200: ConnectionPage, ...problemResponses },
      },
    },
    async (request) => {
      const { limit = 100, wait = 1000, cursor, ...selection } = request.query
      const after = cursor === undefined ? undefined : parseCursor(cursor)
      const isAll = Object.keys(selection).length === 0
      const replies = await app.inquiries.ask(
        {
          selector: selectorOf(app.tokens, isAll ? { all: true } : selection),
          // One more token than the page has, to know if there is a next page.
          limit: limit + 1,
          ...defined({ after }),
        },
        wait,
      )
      const tokens = mergeReplies(replies)
      const page = tokens.slice(0, limit)
      const known = await describeTokens(
        app.registry,
        page.map(({ jti }) => jti),
      )
      const last = page.at(-1)
      return {
        tokens: page.map(({ issuedUs, ...token }) => {
          const { identity, subject, labels } = known.get(token.jti) ?? {}
          return { ...token, ...defined({ identity, subject, labels }) }
        }),
        ...(tokens.length > limit && last !== undefined
          ? { cursor: `${last.issuedUs}.${last.jti}` }
          : {}),
        connections: replies.reduce((sum, { answer }) => sum + (answer?.connections ?? 0), 0),
        complete: replies.every(({ state }) => state === 'answered'),
        nodes: replies.map(({ node, state, answer }) => ({
          node,
          state,
          ...defined({ connections: answer?.connections }),
        })),
      }
    },
  )
}

/**
 * Merges the first tokens of each node into one sorted list; the first of all nodes are among them.
 */
function mergeReplies(replies: readonly NodeReply[]): (ConnectedToken & TokenPlace)[] {
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

function parseCursor(cursor: string): TokenPlace {
  const [, us, jti] = /^([0-9]{1,16})\.(.+)$/.exec(cursor) ?? []
  if (us === undefined || jti === undefined || !tokenIdPattern.test(jti)) {
    throw new AuthError(
      'invalid_request',
      'cursor must be that of a previous page; leave it out to start from the beginning',
    )
  }
  return { issuedUs: Number(us), jti }
}
