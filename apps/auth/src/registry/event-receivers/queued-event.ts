import { randomBytes } from 'node:crypto'
import { RevocationEvent } from '@portcullis/contracts/revocations'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { unavailable } from '../run.js'

/** A queued event as stored. It is signed when it is sent, since keys may change. */
const QueuedEvent = Type.Object({
  /** When it was queued, in Unix milliseconds. */
  at: Type.Integer(),
  what: Type.Union([
    Type.Object({
      kind: Type.Literal('revocation'),
      revocation: RevocationEvent,
      reason: Type.Optional(Type.String()),
      /** The revoked token's identity and subject, if a single token was revoked and is known. */
      token: Type.Optional(Type.Object({ identity: Type.String(), subject: Type.String() })),
    }),
    Type.Object({ kind: Type.Literal('verification'), state: Type.Optional(Type.String()) }),
    /** Events were missed. */
    Type.Object({ kind: Type.Literal('missed') }),
  ]),
})
export type QueuedEvent = Static<typeof QueuedEvent> & { jti: string }
export type RevocationNotice = Extract<QueuedEvent['what'], { kind: 'revocation' }>

/** Returns an event as the scripts take it. */
export function argumentsOf({ jti, ...event }: QueuedEvent): [jti: string, json: string] {
  return [jti, JSON.stringify(event)]
}

/** Returns a notice that events were missed, for a script that may queue it. */
export function missedNotice(receiverId: string): QueuedEvent {
  return { jti: newJti(receiverId), at: Date.now(), what: { kind: 'missed' } }
}

/** Returns the `jti` of an event that belongs to no revocation. */
export function newJti(receiverId: string): string {
  return `${randomBytes(16).toString('base64url')}.${receiverId}`
}

/**
 * Parses a queued event.
 *
 * @throws RegistryError `registry_unavailable` when it is malformed
 */
export function queuedEventOf(jti: string, text: string): QueuedEvent {
  let stored: unknown
  try {
    stored = JSON.parse(text)
  } catch (error) {
    throw unavailable(error)
  }
  if (!Value.Check(QueuedEvent, stored)) {
    throw unavailable(new Error('a stored security event is malformed'))
  }
  return { jti, ...stored }
}
