import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.js'
import {
  type AuditRetention,
  appendAudit,
  auditPartition,
  type Listener,
  openAuditWatch,
  type Registry,
} from '../registry/index.js'
import { openAttemptLog } from './fold-attempts.js'
import { openAuditLog } from './open-log.js'
import { record } from './record.js'

/** Opens the audit log. To be registered before whatever learns who makes a request. */
export async function openAudit(
  app: FastifyInstance,
  registry: Registry,
  listener: Listener,
  config: Config,
): Promise<void> {
  const retention: AuditRetention = {
    maxLength: config.AUDIT_MAX_LENGTH,
    maxAgeMs: config.AUDIT_RETENTION_DAYS * 86_400_000,
  }
  const log = openAuditLog({
    append: (partition, records) => appendAudit(registry, retention, partition, records),
    partitionOf: (entry) => auditPartition(entry, registry.partitions),
    onLost(entries, cause) {
      app.meters.auditEntriesLost.inc(entries.length)
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
  await app.register(record, { log, attempts })
  app.decorate('auditLog', { log, retention, watch })
}
