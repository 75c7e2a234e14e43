import type { Ack } from '@portcullis/contracts/feed'
import {
  type AskedAt,
  ackRevocations,
  type FeedRead,
  feedEnd,
  fenceNode,
  forgetNode,
  introspectById,
  type Joined,
  type Joining,
  joinNode,
  type Lease,
  type Leases,
  leaveNode,
  type NodeInstance,
  nodeNames,
  type Registry,
  type Renewed,
  readFeed,
  readLeases,
  renewLease,
  setConnected,
  settleFenced,
} from '../registry/index.js'

/** The registry's operations that the feed uses; each does what the function of that name does. */
export interface FeedRegistry {
  isActive(token: { jti: string; identity: string }): Promise<boolean>
  /** Returns the node names that an identity may use; undefined for any. */
  nodeNames(identity: string): Promise<readonly string[] | undefined>
  joinNode(node: Joining): Promise<Joined>
  leaveNode(node: NodeInstance): Promise<void>
  setConnected(node: NodeInstance & { connection: string }, connected: boolean): Promise<void>
  readFeed(cursor: string, limit: number): Promise<FeedRead | 'lost'>
  feedEnd(): Promise<string>
  ackRevocations(
    node: NodeInstance,
    revocations: Ack['revocations'],
    cursor: Ack['cursor'],
  ): Promise<void>
  renewLease(
    node: NodeInstance & Pick<Joined, 'since'>,
    askedAt?: readonly AskedAt[],
  ): Promise<Renewed>
  readLeases(): Promise<Leases>
  fenceNode(lease: Lease, overdueUs?: number): Promise<number | undefined>
  settleFenced(lease: Lease & { fencedUs: number }): Promise<void>
  forgetNode(lease: Lease & { fencedUs: number }): Promise<void>
}

/** Binds the feed's operations to a registry. The simulation of the guarantee has its own. */
export function feedRegistry(registry: Registry): FeedRegistry {
  return {
    async isActive({ jti, identity }) {
      const [record] = await introspectById(registry, [{ jti, client_id: identity }])
      return record !== undefined
    },
    nodeNames: (identity) => nodeNames(registry, identity),
    joinNode: (node) => joinNode(registry, node),
    leaveNode: (node) => leaveNode(registry, node),
    setConnected: (node, connected) => setConnected(registry, node, connected),
    readFeed: (cursor, limit) => readFeed(registry, cursor, limit),
    feedEnd: () => feedEnd(registry),
    ackRevocations: (node, revocations, cursor) =>
      ackRevocations(registry, node, revocations, cursor),
    renewLease: (node, askedAt) => renewLease(registry, node, askedAt),
    readLeases: () => readLeases(registry),
    fenceNode: (lease, overdueUs) => fenceNode(registry, lease, overdueUs),
    settleFenced: (lease) => settleFenced(registry, lease),
    forgetNode: (lease) => forgetNode(registry, lease),
  }
}
