import { type Static, Type } from '@sinclair/typebox'
import { Milliseconds, NodeName, TokenId } from './names.js'
import { RevocationEvent, Selector } from './revocations.js'

/**
 * A position in the feed: for each partition the id of the last event that was applied,
 * joined by commas. Opaque to everyone but auth.
 */
export const Cursor = Type.String({
  maxLength: 65_536,
  pattern: '^[0-9]+-[0-9]+(?:,[0-9]+-[0-9]+)*$',
})

const closed = { additionalProperties: false }
const InquiryId = Type.String({ pattern: '^[A-Za-z0-9_-]{8,64}$' })

/** Microseconds of the registry's clock; tells which of two processes of a name came later. */
const Since = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** First message of a node, within `feedHelloMs` of the upgrade. */
export const Hello = Type.Object(
  {
    type: Type.Literal('hello'),
    /** The node's name, unique in the installation, stable over its restarts. */
    node: NodeName,
    /**
     * 256 random bits in base64url, new with each process: tells a restart from a reconnect. Nobody
     * else may know it. What is shown of the process, its `instance`, is the SHA-256 of this text.
     */
    secret: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
    /** As the process's first welcome said; absent before. */
    since: Type.Optional(Since),
    /** The last position that the node applied; absent on its first connection. */
    cursor: Type.Optional(Cursor),
    /** Where the node serves clients, for people to see. */
    url: Type.Optional(Type.String({ maxLength: 256 })),
  },
  closed,
)
export type Hello = Static<typeof Hello>

/**
 * The node has applied everything up to `cursor`, and has closed what these revocations cover.
 * After a welcome a node says again what auth may not have read; each count is taken once.
 */
export const Ack = Type.Object(
  {
    type: Type.Literal('ack'),
    cursor: Cursor,
    revocations: Type.Array(
      Type.Object(
        { id: RevocationEvent.properties.id, connectionsClosed: Type.Integer({ minimum: 0 }) },
        closed,
      ),
      { maxItems: 1024 },
    ),
  },
  closed,
)
export type Ack = Static<typeof Ack>

/**
 * Asks for the lease. Said by a node that has applied everything it was told, and has nothing to
 * make up for: not while it introspects its tokens again after `resumed: false`.
 */
export const Renew = Type.Object(
  {
    type: Type.Literal('renew'),
    /** Rises with each renewal of a connection, so that the answer can be told from a late one. */
    renewal: Type.Integer({ minimum: 1 }),
  },
  closed,
)
export type Renew = Static<typeof Renew>

/** The node has closed every connection and leaves; no receipt waits for it any more. */
export const Bye = Type.Object({ type: Type.Literal('bye') }, closed)

/** The node answers inquiries. Said after a welcome with `inquiries`, and to no other. */
export const Attend = Type.Object({ type: Type.Literal('attend') }, closed)

/** Tokens that one inquiry may ask for, and an answer has at most. */
export const maxInquired = 1000

/** As `byPlace` orders them. */
const tokenPlace = { issuedUs: Type.Integer({ minimum: 0 }), jti: TokenId }

/** Answer to `inquire`: what stands on the tokens that it selects, at the moment that it is answered. */
export const Connections = Type.Object(
  {
    type: Type.Literal('connections'),
    /** The inquiry's. */
    id: InquiryId,
    /** On all tokens that it selects, also beyond `limit` and before `after`. */
    connections: Type.Integer({ minimum: 0 }),
    /** The first `limit` after `after`, in the order of their places. */
    tokens: Type.Array(
      Type.Object(
        {
          ...tokenPlace,
          connections: Type.Integer({ minimum: 1 }),
          /** When the first of them was admitted. */
          since: Milliseconds,
        },
        closed,
      ),
      { maxItems: maxInquired },
    ),
  },
  closed,
)
export type Connections = Static<typeof Connections>

/** What a node sends. */
export const NodeMessage = Type.Union([Hello, Ack, Renew, Attend, Connections, Bye])
export type NodeMessage = Static<typeof NodeMessage>

/** Answer to `hello`. */
export const Welcome = Type.Object({
  type: Type.Literal('welcome'),
  /** Where the node stands now: its own cursor when it resumes, else the feed's end. */
  cursor: Cursor,
  /**
   * True: the events after its cursor follow. False: they cannot be told (no cursor, trimmed, or the
   * feed went backwards), and the node introspects each live token again before it is ready.
   */
  resumed: Type.Boolean(),
  /** Since when the process has the name; to be said in each later hello. */
  since: Since,
  /** True: auth has questions for a node that attends. Nodes of before know nothing of it. */
  inquiries: Type.Optional(Type.Boolean()),
})
export type Welcome = Static<typeof Welcome>

/** Revocations in the order they were committed; `cursor` is the position after the last of them. */
export const Events = Type.Object({
  type: Type.Literal('events'),
  cursor: Cursor,
  revocations: Type.Array(RevocationEvent),
})
export type Events = Static<typeof Events>

/**
 * Answer to `renew`: the node may let application bytes through for `ttlMs` milliseconds, on its
 * monotonic clock, counted from before it sent that renewal. It waits until the node has acknowledged
 * what was committed when the renewal came; what was committed since has been sent before it, on the
 * same connection.
 */
export const Lease = Type.Object({
  type: Type.Literal('lease'),
  renewal: Renew.properties.renewal,
  ttlMs: Type.Integer({ minimum: 1 }),
})
export type Lease = Static<typeof Lease>

/** Asks a node that attends what stands on which tokens. */
export const Inquire = Type.Object({
  type: Type.Literal('inquire'),
  id: InquiryId,
  selector: Selector,
  limit: Type.Integer({ minimum: 1, maximum: maxInquired }),
  after: Type.Optional(Type.Object(tokenPlace)),
})
export type Inquire = Static<typeof Inquire>

/** The node's bye is recorded; it may close. */
export const Goodbye = Type.Object({ type: Type.Literal('goodbye') })

/** What auth sends. */
export const AuthMessage = Type.Union([Welcome, Events, Lease, Inquire, Goodbye])
export type AuthMessage = Static<typeof AuthMessage>

/** Close codes of the feed's WebSocket. */
export const feedClose = {
  /** Auth is closing or has lost its registry: come back, to any instance. */
  goingAway: 1001,
  /** The message was not one of the above. */
  badMessage: 4400,
  /** The caller's token has ended: get a new one and come back. */
  unauthorized: 4401,
  /** The name is another identity's, or not one that this identity may use: give the node another. */
  nameRefused: 4403,
  /** A later process has this node's name: this one has to end. It may ask again, rarely. */
  replaced: 4409,
} as const

/** `GET /v1/nodes` */
export const NodeInfo = Type.Object({
  node: Type.String(),
  instance: Type.String(),
  /** Whose node it is: no other identity's may have the name. */
  identity: Type.String(),
  url: Type.Optional(Type.String()),
  /** Whether a feed connection of the node is open at some auth instance. */
  connected: Type.Boolean(),
  /** Its lease is out: it delivers nothing until it has renewed it, and receipts do not wait for it. */
  fenced: Type.Boolean(),
  /** Revocations that it has not acknowledged. */
  pending: Type.Integer(),
  since: Milliseconds,
})
export type NodeInfo = Static<typeof NodeInfo>
export const NodeList = Type.Object({ nodes: Type.Array(NodeInfo) })
export type NodeList = Static<typeof NodeList>
