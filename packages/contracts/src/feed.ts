import { type Static, Type } from '@sinclair/typebox'
import { Milliseconds, NodeName, TokenId } from './names.js'
import { RevocationEvent, Selector } from './revocations.js'

/**
 * A position in the feed: the id of the last applied event of each partition, joined by commas. Only
 * auth reads cursors; nodes store them and send them back.
 */
export const Cursor = Type.String({
  maxLength: 65_536,
  pattern: '^[0-9]+-[0-9]+(?:,[0-9]+-[0-9]+)*$',
  description: 'a position in the feed of each partition, separated by commas',
})

const closed = { additionalProperties: false }
const InquiryId = Type.String({
  pattern: '^[A-Za-z0-9_-]{8,64}$',
  description: 'an inquiry id: 8 to 64 letters, digits or _ -',
})

/**
 * When a process joined, in microseconds on the registry's clock; orders processes of the same
 * name.
 */
const Since = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** Upper bound of the length of a node's `url`. */
export const maxNodeUrlLength = 256

/** A node's first message; auth closes a connection without one after `FEED_HELLO_MS`. */
export const Hello = Type.Object(
  {
    type: Type.Literal('hello'),
    /** The node's name, unique in the installation; the same after a restart. */
    node: NodeName,
    /**
     * 256 random bits in base64url, new for each process, so that auth can tell a restart from a
     * reconnect. Secret: the API shows only its SHA-256, as the process's `instance`.
     */
    secret: Type.String({
      pattern: '^[A-Za-z0-9_-]{43}$',
      description: '256 bits in base64url',
    }),
    /** `since` of the process's first welcome; absent before it. */
    since: Type.Optional(Since),
    /** The last position that the node has applied; absent on its first connection. */
    cursor: Type.Optional(Cursor),
    /** Where the node serves clients; only shown to people. */
    url: Type.Optional(Type.String({ maxLength: maxNodeUrlLength })),
  },
  closed,
)
export type Hello = Static<typeof Hello>

/** Upper bound of the revocations in one acknowledgement. */
export const maxAcked = 1024

/**
 * The node has applied everything up to `cursor`, and has closed every connection that these
 * revocations cover. After a welcome a node repeats acknowledgements that auth may not have
 * received; auth adds each count once.
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
      { maxItems: maxAcked },
    ),
  },
  closed,
)
export type Ack = Static<typeof Ack>

/**
 * Asks for the lease. A node sends it only when it has applied every event it received, and not
 * while it introspects its tokens again after `resumed: false`.
 */
export const Renew = Type.Object(
  {
    type: Type.Literal('renew'),
    /**
     * Increases with each renewal of a connection; the reply repeats it, so that late replies show.
     */
    renewal: Type.Integer({ minimum: 1 }),
  },
  closed,
)
export type Renew = Static<typeof Renew>

/** The node has closed every connection and leaves; receipts no longer wait for it. */
export const Bye = Type.Object({ type: Type.Literal('bye') }, closed)

/** The node answers inquiries. Sent only after a welcome with `inquiries`. */
export const Attend = Type.Object({ type: Type.Literal('attend') }, closed)

/** Upper bound of the tokens in one reply to an inquiry. */
export const maxInquired = 1000

/** A token's position in the order of `byPlace`. */
const tokenPlace = { issuedUs: Type.Integer({ minimum: 0 }), jti: TokenId }

/** Reply to `inquire`: the node's connections of the selected tokens, now. */
export const Connections = Type.Object(
  {
    type: Type.Literal('connections'),
    /** The inquiry's id. */
    id: InquiryId,
    /** Connections of all selected tokens, also beyond `limit` and before `after`. */
    connections: Type.Integer({ minimum: 0 }),
    /** The first `limit` tokens after `after`, in the order of `byPlace`. */
    tokens: Type.Array(
      Type.Object(
        {
          ...tokenPlace,
          connections: Type.Integer({ minimum: 1 }),
          /** When the oldest of these connections was admitted. */
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

/** The messages that nodes send. */
export const NodeMessage = Type.Union([Hello, Ack, Renew, Attend, Connections, Bye])
export type NodeMessage = Static<typeof NodeMessage>

/** Reply to `hello`. */
export const Welcome = Type.Object({
  type: Type.Literal('welcome'),
  /** The node's position now: its own cursor if it resumes, otherwise the feed's end. */
  cursor: Cursor,
  /**
   * True: the events after the node's cursor follow. False: auth cannot send them (no cursor, the
   * feed was trimmed or went backwards), so the node introspects each live token again before it is
   * ready.
   */
  resumed: Type.Boolean(),
  /** When the process joined under its name; the node sends it in each later hello. */
  since: Since,
  /** True: auth sends inquiries to a node that attends. Older nodes ignore it. */
  inquiries: Type.Optional(Type.Boolean()),
})
export type Welcome = Static<typeof Welcome>

/** Revocations in the order of their commits; `cursor` is the position after the last of them. */
export const Events = Type.Object({
  type: Type.Literal('events'),
  cursor: Cursor,
  revocations: Type.Array(RevocationEvent),
})
export type Events = Static<typeof Events>

/**
 * Reply to `renew`: the node may pass application bytes for `ttlMs` milliseconds, on its monotonic
 * clock, counted from before it sent that renewal. Auth replies only after the node has
 * acknowledged every revocation that was committed when the renewal arrived; auth sends later
 * revocations before the reply, on the same connection.
 */
export const LeaseMessage = Type.Object({
  type: Type.Literal('lease'),
  renewal: Renew.properties.renewal,
  ttlMs: Type.Integer({ minimum: 1 }),
})
export type LeaseMessage = Static<typeof LeaseMessage>

/** Asks a node that attends for its connections of the selected tokens. */
export const Inquire = Type.Object({
  type: Type.Literal('inquire'),
  id: InquiryId,
  selector: Selector,
  limit: Type.Integer({ minimum: 1, maximum: maxInquired }),
  after: Type.Optional(Type.Object(tokenPlace)),
})
export type Inquire = Static<typeof Inquire>

/** Reply to `bye`: auth has recorded it, and the node may close. */
export const Goodbye = Type.Object({ type: Type.Literal('goodbye') })

/** The messages that auth sends. */
export const AuthMessage = Type.Union([Welcome, Events, LeaseMessage, Inquire, Goodbye])
export type AuthMessage = Static<typeof AuthMessage>

/** Close codes of the feed's WebSocket. */
export const feedClose = {
  /** Auth is closing or has lost its registry: reconnect, to any instance. */
  goingAway: 1001,
  /** The message was malformed. */
  badMessage: 4400,
  /** The node's token has ended: get a new one and reconnect. */
  unauthorized: 4401,
  /**
   * The name belongs to another identity, or this identity may not use it: give the node another
   * name.
   */
  nameRefused: 4403,
  /** A later process has joined under this name: this process must end. It may retry, rarely. */
  replaced: 4409,
} as const

/** `GET /v1/nodes` */
export const NodeInfo = Type.Object({
  node: Type.String(),
  instance: Type.String(),
  /** The identity that the name belongs to; nodes of other identities cannot use it. */
  identity: Type.String(),
  url: Type.Optional(Type.String()),
  /** True if the node has an open feed connection to an auth instance. */
  connected: Type.Boolean(),
  /**
   * The node's lease has run out: it delivers nothing until it renews, and receipts do not wait for
   * it.
   */
  fenced: Type.Boolean(),
  /** Revocations that the node has not acknowledged. */
  pending: Type.Integer(),
  since: Milliseconds,
})
export type NodeInfo = Static<typeof NodeInfo>
export const NodeList = Type.Object({ nodes: Type.Array(NodeInfo) })
export type NodeList = Static<typeof NodeList>
