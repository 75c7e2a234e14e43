import { randomBytes } from 'node:crypto'
import { RevocationEvent } from '@portcullis/contracts/revocations'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { unavailable } from '../run.js'

/** An event that waits for a receiver, as Redis keeps it: not signed yet, since keys may change. */
const QueuedEvent = Type.Object({
  /** When it was queued, in Unix milliseconds. */
  at: Type.Integer(),
  what: Type.Union([
    Type.Object({
      kind: Type.Literal('revocation'),
      revocation: RevocationEvent,
      reason: Type.Optional(Type.String()),
      /** Whose token it was, if one was revoked and the registry knows it. */
      token: Type.Optional(Type.Object({ identity: Type.String(), subject: Type.String() })),
    }),
    Type.Object({ kind: Type.Literal('verification'), state: Type.Optional(Type.String()) }),
    /** Others were missed. */
    Type.Object({ kind: Type.Literal('missed') }),
  ]),
})
export type QueuedEvent = Static<typeof QueuedEvent> & { jti: string }
export type RevocationToTell = Extract<QueuedEvent['what'], { kind: 'revocation' }>

/** What a script takes of an event: its `jti` and its JSON. */
export function argumentsOf({ jti, ...event }: QueuedEvent): [jti: string, json: string] {
  return [jti, JSON.stringify(event)]
}

/** A notice that events were missed, for a script that may need one. */
export function missedNotice(receiverId: string): QueuedEvent {
  return { jti: newJti(receiverId), at: Date.now(), what: { kind: 'missed' } }
}

/** The `jti` of an event that stands for no revocation. */
export function newJti(receiverId: string): string {
  return `${randomBytes(16).toString('base64url')}.${receiverId}`
}

/** @throws RegistryError when what is stored is no event: someone else wrote there. */
export function queuedEventOf(jti: string, text: string): QueuedEvent {
  let stored: unknown
  try {
    stored = JSON.parse(text)
  } catch (error) {
    throw unavailable(error)
  }
  if (!Value.Check(QueuedEvent, stored)) {
    throw unavailable(new Error('a queued security event is broken'))
  }
  return { jti, ...stored }
}
