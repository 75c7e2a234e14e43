import { Readable } from 'node:stream'
import { type AuditEntry, ExportAudit } from '@portcullis/contracts/audit'
import { Type } from '@sinclair/typebox'
import { exportAudit } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { searchUnits } from '../units.js'

const Lines = {
  description: 'one entry in JSON on each line',
  content: { 'application/jsonl': { schema: Type.Unsafe<Readable>(Type.String()) } },
}

/**
 * `GET /v1/audit/export`. The audit log records each export. The export itself ends before that
 * entry, with the last entry that existed when it began.
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
      // The stream reads only as fast as the client does. An error cuts the connection, so that a
      // response with a regular end is complete.
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
