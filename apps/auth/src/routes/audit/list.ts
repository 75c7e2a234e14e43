import { AuditPage, ListAudit } from '@portcullis/contracts/audit'
import { AuthError } from '../../errors.js'
import { awaitAudit } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { auditPageUnits } from '../units.js'

/** `GET /v1/audit` */
export const list: Route = async (app) => {
  app.get(
    '/v1/audit',
    {
      config: { audit: 'audit.read', units: auditPageUnits },
      onRequest: app.allow('audit:read'),
      schema: {
        summary: 'Read the audit log, newest first, or follow it',
        description:
          'With `after`: oldest first, the entries after that position, waiting up to `wait` milliseconds for the next one. ' +
          'A page may be short, even empty, and still have a cursor.',
        querystring: ListAudit,
        response: { 200: AuditPage, ...problemResponses },
      },
    },
    async (request) => {
      const { cursor, after, wait } = request.query
      if (cursor !== undefined && after !== undefined) {
        throw new AuthError(
          'invalid_request',
          'send either cursor, to page back, or after, to follow the log',
        )
      }
      if (wait !== undefined && after === undefined) {
        throw new AuthError('invalid_request', 'wait needs after, the position to wait at')
      }
      const { log, retention, watch } = app.auditLog
      // A caller finds the entry of each request that this instance has answered.
      await log.settled()
      return awaitAudit(app.registry, retention, watch, request.query)
    },
  )
}
