export { appendAudit } from './audit/append.js'
export { type AuditWatch, awaitAudit, openAuditWatch } from './audit/await.js'
export { exportAudit, listAudit } from './audit/list.js'
export {
  type AuditRecord,
  type AuditRetention,
  auditPartition,
  isAttempt,
} from './audit/record.js'
export {
  ackAuthPart,
  joinAuthPart,
  leaveAuthPart,
  newAuthPart,
  type PartRenewal,
  renewAuthPart,
} from './auth-part/auth-part.js'
export { charge } from './charge.js'
export { type ChangedClient, changeClient } from './clients/change.js'
export { findClient } from './clients/find.js'
export {
  type RegisteredClient,
  type Registration,
  registerClient,
} from './clients/register.js'
export { useOnce } from './clients/use-once.js'
export { reaches } from './cursor.js'
export { deadlines } from './deadline.js'
export {
  RegistryError,
  type RegistryErrorCode,
  RegistryLimitError,
  receiverNotFound,
} from './errors.js'
export { addEventReceiver } from './event-receivers/add.js'
export { changeEventReceiver } from './event-receivers/change.js'
export { claimEventPusher } from './event-receivers/claim-pusher.js'
export { deleteEventReceiver } from './event-receivers/delete.js'
export { getEventReceiver } from './event-receivers/get.js'
export { listEventReceivers } from './event-receivers/list.js'
export { eventProgress } from './event-receivers/progress.js'
export { queueEvents } from './event-receivers/queue.js'
export type { QueuedEvent } from './event-receivers/queued-event.js'
export type { Receiver, StoredPush, StoredReceiver } from './event-receivers/record.js'
export { type Outcome, type Settled, settleEvents } from './event-receivers/settle.js'
export { takeEvents } from './event-receivers/take.js'
export { queueVerification } from './event-receivers/verification.js'
export { feedEnd } from './feed/end.js'
export { type FeedRead, readFeed } from './feed/read.js'
export { feedSource } from './feed/source.js'
export { type FeedSource, type FeedTail, type TailHandlers, tailFeed } from './feed/tail.js'
export { addRegistrationCode } from './identities/add-registration-code.js'
export { type Authenticated, authenticate } from './identities/authenticate.js'
export { changeIdentity, resumeIdentity } from './identities/change.js'
export {
  type AdministratorOutcome,
  ensureAdministrator,
} from './identities/ensure-administrator.js'
export { findSigner, getIdentity } from './identities/get.js'
export { listIdentities } from './identities/list.js'
export { registerIdentity } from './identities/register.js'
export { removeRegistrationCode } from './identities/remove-registration-code.js'
export { partitionOf } from './ids.js'
export { answerInquiry, type NodeAnswer } from './inquiries/answer.js'
export { publishInquiry } from './inquiries/publish.js'
export { readAnswers } from './inquiries/read-answers.js'
export { inspectServers } from './inspect-servers.js'
export { countTokens, countTokensByIdentity } from './inventory/count.js'
export { listTokens } from './inventory/list.js'
export { type LeaseTimes, leaseTimes } from './lease-times.js'
export { type Listener, listen } from './listen.js'
export { ackRevocations } from './nodes/ack.js'
export { countPending } from './nodes/count-pending.js'
export { fenceNode, forgetNode, settleFenced } from './nodes/fence.js'
export { type Joined, type Joining, joinNode } from './nodes/join.js'
export { leaveNode } from './nodes/leave.js'
export { listNodes } from './nodes/list.js'
export { nodeNames } from './nodes/names.js'
export { type FeedEnd, type Leases, readLeases } from './nodes/read-leases.js'
export { type Lease, type NodeInstance, partName } from './nodes/record.js'
export { type AskedAt, type Renewed, renewLease } from './nodes/renew-lease.js'
export { setConnected } from './nodes/set-connected.js'
export { type Connections, openConnections } from './open-connections.js'
export { type OpenRegistry, openRegistry } from './open-registry.js'
export { registryCheck } from './ping.js'
export { type Registry, slotsOf } from './registry.js'
export { awaitReceipt, openReceiptWatch, type ReceiptWatch } from './revocations/await-receipt.js'
export {
  awaitReplicas,
  openWaiting,
  type WaitingConnections,
} from './revocations/await-replicas.js'
export { countCovered } from './revocations/count-covered.js'
export { deleteIdentity } from './revocations/delete-identity.js'
export { getReceipt } from './revocations/get-receipt.js'
export { listReceipts } from './revocations/list-receipts.js'
export { type Committed, type RevocationOrder, revoke } from './revocations/revoke.js'
export { suspendIdentity } from './revocations/suspend-identity.js'
export { guard } from './run.js'
export { describeTokens } from './tokens/describe.js'
export { getToken } from './tokens/get.js'
export {
  type ActiveRecord,
  introspect,
  introspectById,
  introspectOne,
} from './tokens/introspect.js'
export {
  type IssuedToken,
  issueToken,
  type TokenOrder,
  type TokenSigner,
  type TokenTimes,
} from './tokens/issue.js'
