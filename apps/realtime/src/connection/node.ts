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
import type { Events } from './events.js'
import type { Handlers } from './handlers.js'
import type { Rates } from './io/allowance.js'
import type { Deadline } from './timing/deadline.js'
import type { FlushQueue } from './timing/flush-queue.js'
import type { Heartbeat } from './timing/heartbeat.js'
import type { SliceQueue } from './timing/slice-queue.js'
import type { Tokens } from './tokens.js'
import type { Traffic } from './traffic.js'

/** Bounds for one connection, unless stated otherwise. */
export interface Limits extends Rates {
  /** Connections of one user (a subject of an identity) on this node. Further ones are closed with 3504. */
  connectionsPerUser?: number | undefined
  channelsPerConnection: number
  /** Further commands get error 111. */
  /** Of one message. A client that reconnects sends one for each of its channels. */
  commandsPerMessage: number
  commandsInFlight: number
  /** Calls to the application's handlers in flight. Further ones get error 111. */
  handlerCalls: number
  /** Bytes that may wait for a slow reader. Above that the connection is closed with 3008. */
  sendBufferBytes: number
  /** Bytes of publications in one reply. Longer histories are not recovered. */
  answerBytes: number
}

/** The reader of a long answer. */
export interface Reader {
  /** Readers with one name share one turn when many read. */
  readonly name: string
  /** Asked when the reader's turn comes. */
  mayRead(): boolean
  chargeRead(bytes: number): void
}

/** Why nothing was read: the reader exceeds its rate, or the answer would be too long. */
export type Unread = 'tooManyRequests' | 'limitExceeded'

export interface HistoryQuery {
  /** Publications after this position; in reverse, before it. The position itself is excluded. */
  since?: StreamPosition | undefined
  /** 0 returns the position alone. */
  limit: number
  reverse?: boolean
}

export interface PublishOptions {
  /** Do not keep the publication in the channel's history. */
  skipHistory?: boolean
  /** A repetition within five minutes publishes nothing. */
  idempotencyKey?: string
  /** Publishes nothing unless greater than the channel's last version of the same epoch. */
  version?: { number: number; epoch: string }
}

/** Channels across all nodes. Each method rejects when Redis is not available. */
export interface Channels {
  /** Sends an encoded publication to every node. */
  publish(
    channel: string,
    publication: Buffer,
    permit: Permit,
    options?: PublishOptions,
  ): Promise<unknown>
  /** Returns the first publications that match when all of them are too many for one answer. */
  history(channel: string, query: HistoryQuery, reader: Reader): Promise<StreamRead | Unread>
  /** Returns the position at which a channel's stream ends. */
  position(channel: string): Promise<StreamPosition>
  presence(channel: string, reader: Reader): Promise<readonly ClientInfo[] | Unread>
  presenceStats(channel: string, reader: Reader): Promise<PresenceStatsResult | Unread>
  /** Lists a client in the channel's presence until `leave`. */
  enter(channel: string, info: ClientInfo, permit: Permit): Promise<void>
  leave(channel: string, info: ClientInfo): Promise<void>
  /** Sends a join message to the channel's subscribers that asked for them, on every node. */
  announceJoin(channel: string, info: ClientInfo, permit: Permit): Promise<void>
  announceLeave(channel: string, info: ClientInfo): Promise<void>
}

/** Names a connection in logs and counters. */
export interface ConnectionIdentity {
  readonly id: string
  readonly identity: string
  readonly subject: string
}

/** The parts of a node that commands use. */
export interface Services {
  /** The node's name in replies and receipts. */
  readonly name: string
  /** The version in the reply to `connect`. */
  readonly version: string
  readonly pingIntervalMs: number
  readonly limits: Limits
  readonly hub: Hub
  readonly tokens: Tokens
  readonly hold: Hold
  readonly channels: Channels
  /** The handlers of the application. */
  readonly handlers: Handlers
  /** Undefined when the application wants no events. */
  readonly events?: Events | undefined
  /** Returns the channels that a subject's clients enter when they connect, if their tokens permit. */
  channelsFor(subject: string): readonly string[]
  /** Returns the options of a channel's namespace. */
  optionsOf(channel: string): ChannelOptions
}

/** The node as its connections see it. */
export interface Node extends Services {
  readonly traffic: Traffic
  readonly flushQueue: FlushQueue
  /** Leaves the channels of closed connections, and counts them. */
  readonly cleanups: SliceQueue
  readonly heartbeat: Heartbeat
  /** Closes connections that have not sent `connect` in time. */
  readonly connectDeadline: Deadline<{ end(disconnect: Disconnect): void }>
  onClosed(connection: ConnectionIdentity, disconnect: Disconnect): void
  /** Called when commands exceed the limits. */
  onLimited(connection: ConnectionIdentity, commands: number): void
  /** Called on an unexpected error. The connection is closed with 3004. */
  onFault(connection: ConnectionIdentity, error: unknown): void
}
