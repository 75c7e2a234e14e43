import { Readable } from 'node:stream'
import { type AuditEntry, ExportAudit } from '@portcullis/contracts/audit'
import { Type } from '@sinclair/typebox'
import { exportAudit } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { searchUnits } from '../units.js'

const Lines = {
  description: 'entries, one in JSON on each line',
  content: { 'application/jsonl': { schema: Type.Unsafe<Readable>(Type.String()) } },
}

/**
 * `GET /v1/audit/export`. That someone took the log with him is an act, and on record like any other. The
 * export ends where it began, before that entry.
 */
export const exportLog: Route = async (app) => {
  app.get(
    '/v1/audit/export',
    {
      config: { audit: 'audit.export', units: () => searchUnits },
      onRequest: app.allow('audit:read'),
      schema: {
        summary: 'Export the audit log as JSON lines, oldest first',
        querystring: ExportAudit,
        response: { 200: Lines, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { log, retention } = app.auditLog
      await log.settled()
      const batches = await exportAudit(app.registry, retention, request.query)
      // Read as fast as it is taken, and no faster. An error on the way cuts the connection: what
      // ended well is whole.
      return reply
        .type('application/jsonl')
        .send(Readable.from(lines(batches), { objectMode: false }))
    },
  )
}

async function* lines(batches: AsyncIterable<AuditEntry[]>): AsyncGenerator<string> {
  for await (const batch of batches) {
    if (batch.length > 0) {
      yield batch.map((entry) => `${JSON.stringify(entry)}\n`).join('')
    }
  }
}
