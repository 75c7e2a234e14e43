import { type Static, Type } from '@sinclair/typebox'
import { IdentityName, Milliseconds } from './names.js'

/** The event of every revocation (CAEP 1.0, Session Revoked). */
export const sessionRevokedEvent =
  'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
/** The event of `POST /v1/event-receivers/:id/verify` (SSF 1.0, Verification). */
export const verificationEvent = 'https://schemas.openid.net/secevent/ssf/event-type/verification'
/** The event after a loss of events (SSF 1.0, Stream Updated). */
export const streamUpdatedEvent =
  'https://schemas.openid.net/secevent/ssf/event-type/stream-updated'

/** Delivery methods as SSF 1.0 names them. */
export const pushMethod = 'urn:ietf:rfc:8935'
export const pollMethod = 'urn:ietf:rfc:8936'

const closed = { additionalProperties: false }

export const ReceiverId = Type.String({
  pattern: '^[A-Za-z0-9_-]{22}$',
  description: 'a receiver id',
})

/** `aud` of a receiver's events: one or several names of the receiver. */
const Audience = Type.Union([
  Type.String({ minLength: 1, maxLength: 255 }),
  Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
    minItems: 1,
    maxItems: 8,
    uniqueItems: true,
  }),
])

/** `paused`: up to `EVENT_QUEUE_LENGTH` events are queued and not delivered. */
export const ReceiverStatus = Type.Union([Type.Literal('enabled'), Type.Literal('paused')])
export type ReceiverStatus = Static<typeof ReceiverStatus>

/** Push, RFC 8935: auth POSTs each event to the endpoint. */
export const PushDelivery = Type.Object(
  {
    method: Type.Literal(pushMethod),
    /** `https:`. `http:` only to this machine and to the hosts of `EVENT_HTTP_HOSTS`. */
    endpoint_url: Type.String({ minLength: 1, maxLength: 1024 }),
    /** Value of the `Authorization` header to send. No response contains it. */
    authorization_header: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4096,
        pattern: '^[\\x21-\\x7e]+( [\\x21-\\x7e]+)*$',
        description: 'visible ASCII characters, separated by single spaces',
      }),
    ),
  },
  closed,
)
/** Poll, RFC 8936: the receiver asks auth, at `POST /v1/event-receivers/:id/poll`. */
export const PollDelivery = Type.Object({ method: Type.Literal(pollMethod) }, closed)
export const Delivery = Type.Union([PushDelivery, PollDelivery])
export type Delivery = Static<typeof Delivery>

const Identities = Type.Array(IdentityName, { minItems: 1, maxItems: 64, uniqueItems: true })
const Description = Type.String({ maxLength: 256 })

/** `POST /v1/event-receivers` */
export const AddEventReceiver = Type.Object(
  {
    aud: Audience,
    delivery: Delivery,
    /**
     * Send events about these identities' tokens, and revocations of all tokens. Default: all
     * identities.
     */
    identities: Type.Optional(Identities),
    /**
     * The receiver's own identity, which may poll, read its state and request a verification. Poll
     * requires it.
     */
    identity: Type.Optional(IdentityName),
    description: Type.Optional(Description),
  },
  closed,
)
export type AddEventReceiver = Static<typeof AddEventReceiver>

/**
 * `PATCH /v1/event-receivers/:id`: changes only the given members; null removes. Replaces
 * `delivery` whole.
 */
export const ChangeEventReceiver = Type.Object(
  {
    status: Type.Optional(ReceiverStatus),
    delivery: Type.Optional(Delivery),
    identities: Type.Optional(Type.Union([Identities, Type.Null()])),
    description: Type.Optional(Type.Union([Description, Type.Null()])),
  },
  { ...closed, minProperties: 1 },
)
export type ChangeEventReceiver = Static<typeof ChangeEventReceiver>

/** State of delivery. Counts events since the receiver was added. */
export const EventProgress = Type.Object({
  /** Queued: not delivered or not acknowledged yet. */
  pending: Type.Integer(),
  /** When the oldest queued event was queued; absent when the queue is empty. */
  oldestAt: Type.Optional(Milliseconds),
  delivered: Type.Integer(),
  /** Refused by the receiver: `err` of RFC 8935 §2.3, or `setErrs` of RFC 8936 §2.4. */
  refused: Type.Integer(),
  /** Given up after `EVENT_MAX_AGE_SECONDS`. */
  expired: Type.Integer(),
  /** Given up because more than `EVENT_QUEUE_LENGTH` were queued. */
  dropped: Type.Integer(),
  /** Number of losses of unknown size: the feed was trimmed, or went backwards. */
  lost: Type.Integer(),
  lastDeliveredAt: Type.Optional(Milliseconds),
  /** The last failed attempt or refused event. */
  lastFailure: Type.Optional(Type.Object({ at: Milliseconds, error: Type.String() })),
})
export type EventProgress = Static<typeof EventProgress>

/** A receiver, without its `authorization_header`. */
export const EventReceiver = Type.Object({
  id: ReceiverId,
  /** `iss` of its events. */
  iss: Type.String(),
  aud: Audience,
  status: ReceiverStatus,
  delivery: Type.Object({
    method: Type.Union([Type.Literal(pushMethod), Type.Literal(pollMethod)]),
    /** Push: the receiver's endpoint. Poll: auth's. */
    endpoint_url: Type.String(),
    /** Only push: true if auth sends an `Authorization` header. */
    authorized: Type.Optional(Type.Boolean()),
  }),
  identities: Type.Optional(Identities),
  identity: Type.Optional(IdentityName),
  description: Type.Optional(Description),
  createdAt: Milliseconds,
  progress: EventProgress,
})
export type EventReceiver = Static<typeof EventReceiver>

export const EventReceiverList = Type.Object({ receivers: Type.Array(EventReceiver) })
export type EventReceiverList = Static<typeof EventReceiverList>

/** `POST /v1/event-receivers/:id/verify` (SSF 1.0, Verification): the event contains `state`. */
export const VerifyEventReceiver = Type.Union([
  Type.Object({ state: Type.Optional(Type.String({ maxLength: 1024 })) }, closed),
  Type.Null(),
])
export type VerifyEventReceiver = Static<typeof VerifyEventReceiver>

const eventId = Type.String({ maxLength: 256 })

/** Upper bound of the events in one poll response, whatever the request asks for. */
export const maxPolledEvents = 100

/** `POST /v1/event-receivers/:id/poll`, RFC 8936 §2.2. Unknown members are ignored. */
export const PollEvents = Type.Object({
  /** 0: only acknowledge. Default: 100; more is the same as 100. */
  maxEvents: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  /** Default false: wait a while for an event. */
  returnImmediately: Type.Optional(Type.Boolean()),
  /** `jti` of the events that the receiver has stored. */
  ack: Type.Optional(Type.Array(eventId, { maxItems: 1000 })),
  /** Events that the receiver refuses, by `jti`; auth does not deliver them again. */
  setErrs: Type.Optional(
    Type.Record(
      eventId,
      Type.Object({
        err: Type.String({
          pattern: '^[A-Za-z0-9_.-]{1,64}$',
          description: 'an error code: 1 to 64 letters, digits or _ . -',
        }),
        description: Type.Optional(Type.String({ maxLength: 1024 })),
      }),
      { maxProperties: 1000 },
    ),
  ),
})
export type PollEvents = Static<typeof PollEvents>

/** Poll response, RFC 8936 §2.3. */
export const PolledEvents = Type.Object({
  /** Signed events by `jti`. Auth delivers an event again until it is acknowledged. */
  sets: Type.Record(Type.String(), Type.String()),
  moreAvailable: Type.Optional(Type.Boolean()),
})
export type PolledEvents = Static<typeof PolledEvents>

/** A simple subject: RFC 9493 `opaque` and `iss_sub`, SSF 1.0 `jwt_id`. */
export const SubjectIdentifier = Type.Union([
  Type.Object({ format: Type.Literal('opaque'), id: Type.String() }),
  Type.Object({ format: Type.Literal('iss_sub'), iss: Type.String(), sub: Type.String() }),
  Type.Object({ format: Type.Literal('jwt_id'), iss: Type.String(), jti: Type.String() }),
])
export type SubjectIdentifier = Static<typeof SubjectIdentifier>

/** The sessions of an event (SSF 1.0, Complex Subject Members): those that match all members. */
export const ComplexSubject = Type.Object({
  format: Type.Literal('complex'),
  /** One token. */
  session: Type.Optional(SubjectIdentifier),
  /** A subject of the application. */
  user: Type.Optional(SubjectIdentifier),
  /** A label of the application's tokens. */
  group: Type.Optional(SubjectIdentifier),
  /** An identity (`client_id`). */
  application: Type.Optional(SubjectIdentifier),
  /** The whole installation, by its issuer. */
  tenant: Type.Optional(SubjectIdentifier),
})
export type ComplexSubject = Static<typeof ComplexSubject>

/** A revocation as CAEP's event `session-revoked`. */
export const SessionRevoked = Type.Object({
  /** Time of the revocation in Unix seconds. */
  event_timestamp: Type.Integer(),
  /** The revocation's reason, under the language tag `und` because its language is unknown. */
  reason_admin: Type.Optional(Type.Object({ und: Type.String() })),
  /** Not CAEP's: covers tokens with `issued_us` up to and including this, in microseconds. */
  cutoff_us: Type.Integer(),
  /** Not CAEP's: the event also covers every token that has `session`'s token among its `parents`. */
  cascade: Type.Optional(Type.Literal(true)),
})
export type SessionRevoked = Static<typeof SessionRevoked>

/**
 * Claims of a Security Event Token (RFC 8417), `typ: secevent+jwt`. It has no `sub` and no `exp`,
 * so that no verifier accepts it as another kind of JWT (RFC 8417 §4, SSF 1.0). `iat` in Unix
 * seconds.
 */
export const SecurityEvent = Type.Object({
  iss: Type.String(),
  aud: Audience,
  iat: Type.Integer(),
  /** The same at each delivery of the event. */
  jti: Type.String(),
  /** The revocation's id. */
  txn: Type.Optional(Type.String()),
  sub_id: Type.Union([ComplexSubject, SubjectIdentifier]),
  events: Type.Union([
    Type.Object({ [sessionRevokedEvent]: SessionRevoked }),
    Type.Object({ [verificationEvent]: Type.Object({ state: Type.Optional(Type.String()) }) }),
    Type.Object({
      [streamUpdatedEvent]: Type.Object({ status: ReceiverStatus, reason: Type.String() }),
    }),
  ]),
})
export type SecurityEvent = Static<typeof SecurityEvent>
