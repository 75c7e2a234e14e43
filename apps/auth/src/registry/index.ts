export { ackRevocations } from './ack-revocations.js'
export { addEventReceiver } from './add-event-receiver.js'
export { addRegistrationCode } from './add-registration-code.js'
export { answerInquiry, type NodeAnswer } from './answer-inquiry.js'
export { registryCheck } from './answers.js'
export { appendAudit } from './append-audit.js'
export {
  type AuditRecord,
  type AuditRetention,
  auditPartition,
  isAttempt,
} from './audit-record.js'
export {
  ackAuthPart,
  joinAuthPart,
  leaveAuthPart,
  newAuthPart,
  type PartRenewal,
  renewAuthPart,
} from './auth-part.js'
export { type Authenticated, authenticate } from './authenticate.js'
export { type AuditWatch, awaitAudit, openAuditWatch } from './await-audit.js'
export { awaitReceipt, openReceiptWatch, type ReceiptWatch } from './await-receipt.js'
export { awaitReplicas, openWaiting, type WaitingConnections } from './await-replicas.js'
export { type ChangedClient, changeClient } from './change-client.js'
export { changeEventReceiver } from './change-event-receiver.js'
export { changeIdentity } from './change-identity.js'
export { charge } from './charge.js'
export { countCovered } from './count-covered.js'
export { countPending } from './count-pending.js'
export { countTokens, countTokensByIdentity } from './count-tokens.js'
export { reaches } from './cursor.js'
export { deadlines } from './deadline.js'
export { deleteEventReceiver } from './delete-event-receiver.js'
export { deleteIdentity } from './delete-identity.js'
export { describeTokens } from './describe-tokens.js'
export { type AdministratorOutcome, ensureAdministrator } from './ensure-administrator.js'
export {
  RegistryError,
  type RegistryErrorCode,
  RegistryLimitError,
  receiverNotFound,
} from './errors.js'
export { eventProgress } from './event-progress.js'
export type { Receiver, StoredPush, StoredReceiver } from './event-receiver-record.js'
export { feedEnd } from './feed-end.js'
export { feedSource } from './feed-source.js'
export { fenceNode, forgetNode, settleFenced } from './fence-node.js'
export { findClient } from './find-client.js'
export { getEventReceiver } from './get-event-receiver.js'
export { findSigner, getIdentity } from './get-identity.js'
export { getReceipt } from './get-receipt.js'
export { getToken } from './get-token.js'
export { holdEventPusher } from './hold-event-pusher.js'
export { partitionOf } from './ids.js'
export { inspectServers } from './inspect-servers.js'
export { type ActiveRecord, introspect, type TokenClaims } from './introspect.js'
export { type IssuedToken, issueToken, type TokenOrder } from './issue-token.js'
export { type Joined, type Joining, joinNode } from './join-node.js'
export { type LeaseTimes, leaseTimes } from './lease-times.js'
export { leaveNode } from './leave-node.js'
export { exportAudit, listAudit } from './list-audit.js'
export { listEventReceivers } from './list-event-receivers.js'
export { listIdentities } from './list-identities.js'
export { listNodes } from './list-nodes.js'
export { listReceipts } from './list-receipts.js'
export { listTokens } from './list-tokens.js'
export { type Listener, listen } from './listen.js'
export { nodeNames } from './node-names.js'
export { type Lease, type NodeInstance, partName } from './nodes.js'
export { openConnections } from './open-connections.js'
export { type OpenRegistry, openRegistry } from './open-registry.js'
export { publishInquiry } from './publish-inquiry.js'
export { queueEvents } from './queue-events.js'
export { queueVerification } from './queue-verification.js'
export type { QueuedEvent } from './queued-event.js'
export { readAnswers } from './read-answers.js'
export { type FeedRead, readFeed } from './read-feed.js'
export { type FeedEnd, type Leases, readLeases } from './read-leases.js'
export {
  type RegisteredClient,
  type Registration,
  registerClient,
} from './register-client.js'
export { registerIdentity } from './register-identity.js'
export { type Registry, slotsOf } from './registry.js'
export { removeRegistrationCode } from './remove-registration-code.js'
export { type AskedAt, type Renewed, renewLease } from './renew-lease.js'
export { resumeIdentity } from './resume-identity.js'
export { type Committed, type RevocationOrder, revoke } from './revoke.js'
export { guard } from './run.js'
export { setConnected } from './set-connected.js'
export { type Outcome, type Settled, settleEvents } from './settle-events.js'
export { suspendIdentity } from './suspend-identity.js'
export { type FeedSource, type FeedTail, type TailHandlers, tailFeed } from './tail-feed.js'
export { takeEvents } from './take-events.js'
export { useOnce } from './use-once.js'
