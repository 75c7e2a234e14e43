import {
  type ComplexSubject,
  type SecurityEvent,
  sessionRevokedEvent,
  streamUpdatedEvent,
  verificationEvent,
} from '@portcullis/contracts/event-receivers'
import type { QueuedEvent, Receiver } from '../../registry/index.js'

type Revocation = Extract<QueuedEvent['what'], { kind: 'revocation' }>

/** The header's `typ` of a Security Event Token (RFC 8417 §2.3). */
export const securityEventType = 'secevent+jwt'

/**
 * Returns the claims of a queued event for a receiver. They are the same in every attempt; only the
 * signature may differ, after a key rotation.
 */
export function securityEvent(
  issuer: string,
  { id, aud }: Pick<Receiver, 'id' | 'aud'>,
  { jti, at, what }: QueuedEvent,
): SecurityEvent {
  const claims = { iss: issuer, aud, iat: Math.floor(at / 1000), jti }
  // The subject of these events is the stream itself (SSF 1.0, Verification, Stream Updated Event).
  const stream = { format: 'opaque' as const, id }
  if (what.kind === 'verification') {
    const { state } = what
    return {
      ...claims,
      sub_id: stream,
      events: { [verificationEvent]: state === undefined ? {} : { state } },
    }
  }
  if (what.kind === 'missed') {
    return {
      ...claims,
      sub_id: stream,
      events: {
        [streamUpdatedEvent]: {
          status: 'enabled',
          reason: 'events may have been missed; check every session',
        },
      },
    }
  }
  const { revocation, reason } = what
  const { selector } = revocation
  return {
    ...claims,
    txn: revocation.id,
    sub_id: subjectOf(issuer, what),
    events: {
      [sessionRevokedEvent]: {
        event_timestamp: Math.floor(revocation.at / 1000),
        ...(reason === undefined ? {} : { reason_admin: { und: reason } }),
        cutoff_us: revocation.cutoffUs,
        ...('cascade' in selector ? { cascade: true as const } : {}),
      },
    },
  }
}

/**
 * Returns whose sessions a revocation ends. The subject is always complex: it covers sessions that match
 * all of its members, and an absent member matches any session (SSF 1.0, Subject Matching), as in our
 * selectors.
 */
function subjectOf(iss: string, { revocation: { selector }, token }: Revocation): ComplexSubject {
  const opaque = (id: string) => ({ format: 'opaque' as const, id })
  const user = (sub: string) => ({ format: 'iss_sub' as const, iss, sub })
  const format = 'complex'
  if ('all' in selector) {
    return { format, tenant: opaque(iss) }
  }
  if ('jti' in selector) {
    return {
      format,
      session: { format: 'jwt_id', iss, jti: selector.jti },
      ...(token === undefined
        ? {}
        : { user: user(token.subject), application: opaque(token.identity) }),
    }
  }
  const application = opaque(selector.identity)
  if ('subject' in selector) {
    return { format, user: user(selector.subject), application }
  }
  if ('label' in selector) {
    return { format, group: opaque(selector.label), application }
  }
  return { format, application }
}
