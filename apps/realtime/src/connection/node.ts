import type { Disconnect } from '@portcullis/protocol'
import type { Hold } from '../hub/hold.js'
import type { Hub } from '../hub/hub.js'
import type { Connection } from './connection.js'
import type { Deadline } from './deadline.js'
import type { FlushQueue } from './flush.js'
import type { Heartbeat } from './heartbeat.js'
import type { Tokens } from './tokens.js'

export interface Limits {
  channelsPerConnection: number
  /** Commands that a connection may have under way; those beyond are answered 111. */
  pendingCommands: number
  /** What may wait for one slow reader before it is closed with 3008. */
  sendBufferBytes: number
}

/** What a connection needs of the node that it is on. */
export interface Node {
  /** The node's name, as clients and receipts see it. */
  readonly name: string
  /** As clients see it in the reply to `connect`. */
  readonly version: string
  readonly pingIntervalMs: number
  readonly limits: Limits
  readonly hub: Hub
  readonly tokens: Tokens
  readonly hold: Hold
  readonly flushQueue: FlushQueue
  readonly heartbeat: Heartbeat
  /** Closes connections that have not sent `connect` in time. */
  readonly connectDeadline: Deadline<Connection>
  /** Sends an encoded publication to every node. Rejects when Redis cannot take it now. */
  publish(channel: string, publication: Buffer): Promise<void>
  /** Is told of each connection that closed, and why. */
  onClosed(connection: Connection, disconnect: Disconnect): void
  /** Is told of an error that nobody foresaw; the connection is closed with 3004. */
  onFault(connection: Connection, error: unknown): void
}
