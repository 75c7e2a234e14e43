import type { Family } from '@portcullis/service'

const outcomes = '`delivered`, `refused`, `expired` or `dropped`'
const settled = '`acked` (the node acknowledged) or `fenced` (its lease ran out)'

const receiptFamilies = {
  feedNodes: {
    name: 'portcullis_auth_feed_nodes',
    type: 'gauge',
    help: 'Nodes connected to the feed of this instance',
  },
  feedPosition: {
    name: 'portcullis_auth_feed_position_seconds',
    type: 'gauge',
    help: 'Unix time of the newest revocation in the feed, as read by this instance; 0 before the first',
    ofWorkers: 'min',
  },
  receiptPartsPending: {
    name: 'portcullis_auth_receipt_parts_pending',
    type: 'gauge',
    help: 'Pending parts of receipts, one for each node and partition; the same at every instance, NaN when Redis does not answer',
    ofWorkers: 'max',
  },
  receiptParts: {
    name: 'portcullis_auth_receipt_parts_total',
    type: 'counter',
    help: 'Parts of receipts that are no longer pending',
    labels: { state: settled },
  },
  revocationDuration: {
    name: 'portcullis_auth_revocation_duration_seconds',
    type: 'histogram',
    help: 'Time from the commit of a revocation until a part of its receipt was acknowledged or fenced',
    labels: { state: settled },
  },
  nodesFenced: {
    name: 'portcullis_auth_nodes_fenced_total',
    type: 'counter',
    help: 'Nodes fenced by this instance because their lease ran out',
  },
} as const satisfies Record<string, Family>

const requestFamilies = {
  revocations: {
    name: 'portcullis_auth_revocations_total',
    type: 'counter',
    help: 'Revocations committed',
    labels: {
      selector: '`jti`, `jti_cascade`, `identity`, `identity_subject`, `identity_label` or `all`',
    },
  },
  revocationsUnderReplicated: {
    name: 'portcullis_auth_revocations_under_replicated_total',
    type: 'counter',
    help: 'Revocations that reached fewer Redis replicas in time than requested',
  },
  tokensIssued: {
    name: 'portcullis_auth_tokens_issued_total',
    type: 'counter',
    help: 'Tokens issued',
    labels: { grant: '`client_credentials`, `token_exchange` or `subject`' },
  },
  introspections: {
    name: 'portcullis_auth_introspections_total',
    type: 'counter',
    help: 'Tokens introspected for callers',
    labels: { result: '`active` or `inactive`' },
  },
  redisDuration: {
    name: 'portcullis_auth_redis_command_duration_seconds',
    type: 'histogram',
    help: 'Time from sending a command to Redis until its reply; a sample of at most 20 commands in a second',
  },
  auditEntriesLost: {
    name: 'portcullis_auth_audit_entries_lost_total',
    type: 'counter',
    help: 'Entries that Redis did not take into the audit log; they are in the log of this service',
  },
} as const satisfies Record<string, Family>

const eventFamilies = {
  eventOldest: {
    name: 'portcullis_auth_security_event_oldest_seconds',
    type: 'gauge',
    help: 'How long the oldest queued security event has waited for its receiver; 0 when the queues are empty, NaN when Redis does not answer',
    ofWorkers: 'max',
  },
  eventsPending: {
    name: 'portcullis_auth_security_events_pending',
    type: 'gauge',
    help: 'Security events queued for all receivers; the same at every instance, NaN when Redis does not answer',
    ofWorkers: 'max',
  },
  events: {
    name: 'portcullis_auth_security_events_total',
    type: 'counter',
    help: 'Security events that left their queue: delivered, refused by the receiver, expired after too many attempts, or dropped because the queue was full',
    labels: { outcome: outcomes },
  },
  eventAttemptsFailed: {
    name: 'portcullis_auth_security_event_attempts_failed_total',
    type: 'counter',
    help: 'Failed attempts to push a security event that are retried',
  },
  eventsLost: {
    name: 'portcullis_auth_security_events_lost_total',
    type: 'counter',
    help: 'Times that a receiver missed an unknown number of events because the feed was trimmed or went backwards',
  },
} as const satisfies Record<string, Family>

/** The metrics of auth, besides those of every service. */
export const families = {
  ...receiptFamilies,
  ...requestFamilies,
  ...eventFamilies,
} as const satisfies Record<string, Family>
