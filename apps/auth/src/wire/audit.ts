import type { FastifyInstance } from 'fastify'
import { openAttemptLog } from '../audit/attempt-log.js'
import { openAuditLog } from '../audit/audit-log.js'
import { recordRequests } from '../audit/record-requests.js'
import type { Config } from '../config.js'
import {
  type AuditRetention,
  appendAudit,
  auditPartition,
  type Listener,
  openAuditWatch,
  type Registry,
} from '../registry/index.js'

const dayMs = 86_400_000

/**
 * Opens the audit log. To be registered before the hooks that identify callers, which add the actor to
 * a request's entry.
 */
export async function openAudit(
  app: FastifyInstance,
  { registry, listener }: { registry: Registry; listener: Listener },
  config: Config,
): Promise<void> {
  const retention: AuditRetention = {
    maxLength: config.AUDIT_MAX_LENGTH,
    maxAgeMs: config.AUDIT_RETENTION_DAYS * dayMs,
  }
  const log = openAuditLog({
    append: (partition, records) => appendAudit(registry, retention, partition, records),
    partitionOf: (entry) => auditPartition(entry, registry.partitions),
    onLost(entries, cause) {
      app.meters.auditEntriesLost += entries.length
      for (const entry of entries) {
        app.log.error({ entry, err: cause }, 'not in the audit log: Redis did not take it')
      }
    },
  })
  const attempts = openAttemptLog({ log })
  const watch = openAuditWatch(registry, listener)
  app.addHook('preClose', async () => watch.close())
  app.addHook('onClose', () => {
    attempts.close()
    return log.settled()
  })
  await app.register(recordRequests, { log, attempts })
  app.decorate('auditLog', { log, retention, watch })
}
