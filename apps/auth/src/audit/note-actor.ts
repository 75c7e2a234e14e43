import { defined } from '@portcullis/contracts/defined'
import type { FastifyRequest } from 'fastify'
import type { Caller } from '../callers/caller.js'
import { shownName } from './shown-name.js'

/** Notes for the audit log who makes a request, as authenticated by a token or credentials. */
export function noteActor(
  { audit }: FastifyRequest,
  { identity, subject, token }: Pick<Caller, 'identity' | 'token'> & { subject?: string },
): void {
  audit.actor = {
    identity,
    ...(token === undefined || subject === undefined ? {} : { subject, jti: token.jti }),
  }
}

/** Notes for the audit log who claims to make a request, before authentication. */
export function noteClaimedActor(
  { audit }: FastifyRequest,
  { identity, subject, jti }: { identity: string; subject?: string; jti?: string },
): void {
  const shown = shownName(identity)
  if (shown === undefined) {
    return
  }
  audit.actor = {
    identity: shown,
    ...defined({ subject, jti }),
    claimed: true,
  }
}
