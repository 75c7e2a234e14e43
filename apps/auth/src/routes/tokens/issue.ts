import type { Identity } from '@portcullis/contracts/identities'
import { IssueToken, TokenResponse } from '@portcullis/contracts/tokens'
import { clientAddressOf } from '@portcullis/service'
import { noteIssued } from '../../audit/note-issued.js'
import { AuthError } from '../../errors.js'
import { getIdentity } from '../../registry/index.js'
import { issue as issueToken } from '../../tokens/issue.js'
import { passOn } from '../../tokens/pass-on.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

/** `POST /v1/tokens`: an application's backend asks for a token for one of its users. */
export const issue: Route = async (app) => {
  app.post(
    '/v1/tokens',
    {
      config: { audit: 'token.issue' },
      onRequest: app.allow('tokens:issue'),
      schema: {
        summary: 'Issue a token of the calling identity for a subject',
        description:
          'It ends with the calling token at the latest: `expires_in` says how long it lives. A revocation of the calling token with `cascade` covers it.',
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
        scopes: passOn({ caller, identity, subject }, scope),
        ttlSeconds: lifetime(identity, ttlSeconds) ?? app.defaultTtlSeconds,
        labels,
        from: clientAddressOf(request),
        parent: caller.token.jti,
      }
      const answer = await caller.act((registry) => issueToken(registry, app.tokens, order))
      noteIssued(request, answer)
      app.meters.tokensIssued.inc({ grant: 'subject' })
      reply.code(201)
      return answer
    },
  )
}

/**
 * A token whose subject is its identity counts as the identity's own, a service's, wherever it is shown.
 * A user who has chosen that name must not get one.
 */
function requireUser(subject: string, identity: string): void {
  if (subject !== identity) {
    return
  }
  throw new AuthError(
    'invalid_request',
    'subject must not be the name of the identity itself; POST /oauth/token gives the identity its own tokens',
  )
}

/** What is asked for, by scope or by channel. */
function scopeOf({ scope, channel }: IssueToken): string | undefined {
  if (channel === undefined) {
    return scope
  }
  if (scope !== undefined) {
    throw new AuthError('invalid_scope', 'name a channel or a scope, not both')
  }
  // In a scope it stands for the subject, whoever that is.
  if (channel.includes('{sub}')) {
    throw new AuthError('invalid_scope', 'a channel with "{sub}" in its name cannot be granted')
  }
  return `subscribe:${channel}`
}

/** An identity's own token lifetime is the longest that it may pass on. */
function lifetime({ tokenTtlSeconds }: Identity, asked: number | undefined): number | undefined {
  if (asked !== undefined && tokenTtlSeconds !== undefined && asked > tokenTtlSeconds) {
    throw new AuthError(
      'ttl_too_long',
      `ttlSeconds must be ${tokenTtlSeconds} at most, the lifetime of the identity's tokens`,
    )
  }
  return asked ?? tokenTtlSeconds
}
