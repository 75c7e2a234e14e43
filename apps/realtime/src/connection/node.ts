import type {
  ClientInfo,
  Disconnect,
  PresenceStatsResult,
  StreamPosition,
} from '@portcullis/protocol'
import type { Hold } from '../hub/hold.js'
import type { Hub } from '../hub/hub.js'
import type { ChannelOptions } from '../hub/namespaces.js'
import type { Permit } from '../hub/permit.js'
import type { StreamRead } from '../hub/stream.js'
import type { Connection } from './connection.js'
import type { Handlers } from './handlers.js'
import type { Rates } from './io/allowance.js'
import type { Deadline } from './timing/deadline.js'
import type { FlushQueue } from './timing/flush-queue.js'
import type { Heartbeat } from './timing/heartbeat.js'
import type { Tokens } from './tokens.js'

export interface Limits extends Rates {
  /** Connections of one user, who is a subject of an identity; those beyond are closed with 3504. */
  connectionsPerUser?: number | undefined
  channelsPerConnection: number
  /** Commands that a connection may have under way; those beyond are answered 111. */
  pendingCommands: number
  /** Calls to the application's handlers that a connection may have under way; 111 beyond. */
  handlerCalls: number
  /** What may wait for one slow reader before it is closed with 3008. */
  sendBufferBytes: number
  /** Publications that one answer gives of histories; more are not recovered. */
  answerBytes: number
}

/** On whose behalf something long is read, and how much more that one may read. */
export interface Reader {
  /** Whose turn it is when many read. */
  readonly name: string
  /** Asked when it is its turn. */
  mayRead(): boolean
  chargeRead(bytes: number): void
}

/** Why something was not read: the reader has to wait, or it is more than one answer may have. */
export type Unread = 'tooManyRequests' | 'limitExceeded'

export interface HistoryQuery {
  /** Excluded: from there on, or in reverse before it. */
  since?: StreamPosition | undefined
  /** The most publications to give; 0: the position alone. */
  limit: number
  reverse?: boolean
}

/** Channels beyond this node. Each method rejects when Redis cannot do it now. */
export interface Channels {
  /** Sends an encoded publication to every node. */
  publish(channel: string, publication: Buffer, permit: Permit): Promise<unknown>
  /** Gives the first of these publications when they are too many for one answer. */
  history(channel: string, query: HistoryQuery, reader: Reader): Promise<StreamRead | Unread>
  /** Where a channel's stream ends. */
  position(channel: string): Promise<StreamPosition>
  presence(channel: string, reader: Reader): Promise<readonly ClientInfo[] | Unread>
  presenceStats(channel: string, reader: Reader): Promise<PresenceStatsResult | Unread>
  /** Lists a client among those present, and goes on doing so until `leave`. */
  enter(channel: string, info: ClientInfo, permit: Permit): Promise<void>
  leave(channel: string, info: ClientInfo): Promise<void>
  /** Tells the channel's subscribers on every node, as far as they want to know. */
  announceJoin(channel: string, info: ClientInfo, permit: Permit): Promise<void>
  announceLeave(channel: string, info: ClientInfo): Promise<void>
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
  readonly channels: Channels
  /** The application's own part. */
  readonly handlers: Handlers
  /** Channels that the server puts a subject's clients into as they connect, if their tokens permit. */
  channelsFor(subject: string): readonly string[]
  /** What holds for a channel, by its namespace. */
  optionsOf(channel: string): ChannelOptions
  /** Is told of each connection that closed, and why. */
  onClosed(connection: Connection, disconnect: Disconnect): void
  /** Is told of commands that came faster than the limits allow. */
  onLimited(connection: Connection, commands: number): void
  /** Is told of an error that nobody foresaw; the connection is closed with 3004. */
  onFault(connection: Connection, error: unknown): void
}
