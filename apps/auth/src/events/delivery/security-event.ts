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
 * The claims of a queued event for a receiver. The same each time: of an event that is delivered again
 * only the signature may differ, when the keys have changed.
 */
export function securityEvent(
  issuer: string,
  { id, aud }: Pick<Receiver, 'id' | 'aud'>,
  { jti, at, what }: QueuedEvent,
): SecurityEvent {
  const claims = { iss: issuer, aud, iat: Math.floor(at / 1000), jti }
  // A stream's own events are about the stream (SSF 1.0, Verification, Stream Updated Event).
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
 * Whose sessions a revocation ends. Always complex: sessions that match all members, and a member that
 * is not there matches any (SSF 1.0, Subject Matching), which is what our selectors mean.
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
