import type { Identity } from '@portcullis/contracts/identities'
import { IssueToken, TokenResponse } from '@portcullis/contracts/tokens'
import { clientAddressOf } from '@portcullis/service'
import { noteIssued } from '../../audit/note-issued.js'
import { AuthError } from '../../errors.js'
import { getIdentity } from '../../registry/index.js'
import { delegateScopes } from '../../tokens/delegate-scopes.js'
import { issue as issueToken } from '../../tokens/issue.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

/** `POST /v1/tokens`: issues a token to an application's backend, for one of its users. */
export const issue: Route = async (app) => {
  app.post(
    '/v1/tokens',
    {
      config: { audit: 'token.issue' },
      onRequest: app.allow('tokens:issue'),
      schema: {
        summary: 'Issue a token of the calling identity for a subject',
        description:
          'The token never outlives the calling token; `expires_in` is its lifetime. A revocation of the calling token with `cascade` covers it.',
        body: IssueToken,
        response: { 201: TokenResponse, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { caller } = request
      const { subject, ttlSeconds, labels = [] } = request.body
      request.audit.target.subject = subject
      requireUser(subject, caller.identity)
      const scope = scopeOf(request.body)
      const identity = await getIdentity(app.registry, caller.identity)
      const order = {
        identity: identity.identity,
        subject,
        scopes: delegateScopes({ caller, identity, subject }, scope),
        ttlSeconds: lifetime(identity, ttlSeconds) ?? app.defaultTtlSeconds,
        labels,
        from: clientAddressOf(request),
        parent: caller.token.jti,
      }
      const answer = await caller.act((registry) => issueToken(registry, app.tokens, order))
      noteIssued(request, answer)
      app.meters.tokensIssued.subject += 1
      reply.code(201)
      return answer
    },
  )
}

/**
 * Refuses the identity's own name as the subject. Such a token is the identity's own, a service's:
 * a user with that name must not get one.
 */
function requireUser(subject: string, identity: string): void {
  if (subject !== identity) {
    return
  }
  throw new AuthError(
    'invalid_request',
    "subject must not be the identity's own name; POST /oauth/token issues the identity's own tokens",
  )
}

/** Returns the requested scope, written as a scope or as a channel. */
function scopeOf({ scope, channel }: IssueToken): string | undefined {
  if (channel === undefined) {
    return scope
  }
  if (scope !== undefined) {
    throw new AuthError('invalid_scope', 'send either channel or scope, not both')
  }
  // In a scope, `{sub}` would stand for any subject.
  if (channel.includes('{sub}')) {
    throw new AuthError('invalid_scope', 'channel must not contain "{sub}"')
  }
  return `subscribe:${channel}`
}

/** Returns the requested lifetime, which is bounded by that of the identity's own tokens. */
function lifetime({ tokenTtlSeconds }: Identity, asked: number | undefined): number | undefined {
  if (asked !== undefined && tokenTtlSeconds !== undefined && asked > tokenTtlSeconds) {
    throw new AuthError(
      'ttl_too_long',
      `ttlSeconds must be at most ${tokenTtlSeconds}, the lifetime of the identity's tokens`,
    )
  }
  return asked ?? tokenTtlSeconds
}
