import { defined } from '@portcullis/contracts/defined'
import type { FastifyRequest } from 'fastify'
import { AuthError } from '../../errors.js'
import type { JoinOutcome } from '../../feed/connection/feed-connection.js'
import { serveFeed } from '../../feed/connection/serve.js'
import type { AuditRecord } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

export interface FeedOptions {
  helloMs: number
  pingIntervalMs: number
}

/** Returns the audit log's entry for a hello. */
function joinRecord(
  { audit, ip, id }: FastifyRequest,
  { node, instance, replaced, error }: JoinOutcome,
): AuditRecord {
  return {
    action: 'node.join',
    result: error === undefined ? 'ok' : 'refused',
    ...defined({ error, actor: audit.actor }),
    target: { node },
    detail: { instance, ...defined({ replaced }) },
    address: ip,
    requestId: id,
  }
}

/** `GET /v1/feed`: the revocation feed, a WebSocket with the messages of contracts/feed.ts. */
export const open: (options: FeedOptions) => Route =
  ({ helloMs, pingIntervalMs }) =>
  async (app) => {
    app.route({
      method: 'GET',
      url: '/v1/feed',
      config: { audit: 'feed.open' },
      onRequest: app.allow('feed'),
      schema: {
        summary: 'Revocation feed for realtime nodes (WebSocket)',
        response: { ...problemResponses },
      },
      handler: async () => {
        throw new AuthError('upgrade_required', 'open this as a WebSocket', {
          headers: { upgrade: 'websocket', connection: 'Upgrade' },
        })
      },
      // Synchronous: no message may arrive before its listener is attached.
      wsHandler: (socket, request) => {
        const { caller } = request
        // Cannot happen: `allow` admits only callers with a token.
        if (caller.token === undefined) {
          return socket.terminate()
        }
        serveFeed(socket, {
          registry: app.feedRegistry,
          hub: app.feedHub,
          token: { ...caller.token, identity: caller.identity, subject: caller.subject },
          pingIntervalMs,
          helloMs,
          onError: (err) => request.log.warn({ err }, 'feed connection'),
          onAnswer: (node, answer) => app.inquiries.onAnswer(node, answer),
          // Not awaited, so that the log does not delay the welcome.
          onJoin: (outcome) => void app.auditLog.log.add(joinRecord(request, outcome)),
        })
      },
    })
  }
