import {
  channelActions,
  covers,
  type Identity,
  IssueToken,
  parseScope,
  TokenAnswer,
} from '@portcullis/contracts'
import { noteIssued } from '../../audit/note-issued.js'
import type { Caller } from '../../callers/caller.js'
import { AuthError } from '../../errors.js'
import { getIdentity } from '../../registry/index.js'
import { issue as issueToken } from '../../tokens/issue.js'
import { problemAnswers } from '../answers.js'
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
        body: IssueToken,
        response: { 201: TokenAnswer, ...problemAnswers },
      },
    },
    async (request, reply) => {
      const { subject, ttlSeconds, labels = [] } = request.body
      request.audit.target.subject = subject
      const scope = scopeOf(request.body)
      const identity = await getIdentity(app.registry, request.caller.identity)
      const answer = await issueToken(app.registry, app.tokens, {
        identity: identity.identity,
        subject,
        scopes:
          scope === undefined
            ? channelScopes(request.caller, identity, subject)
            : narrowed(request.caller, identity, subject, scope),
        ttlSeconds: lifetime(identity, ttlSeconds) ?? app.defaultTtlSeconds,
        labels,
        from: request.ip,
      })
      noteIssued(request, answer)
      app.meters.tokensIssued.inc({ grant: 'subject' })
      reply.code(201)
      return answer
    },
  )
}

/** What is asked for, by scope or by channel. */
function scopeOf({ scope, channel }: IssueToken): string | undefined {
  if (channel === undefined) return scope
  if (scope !== undefined)
    throw new AuthError('invalid_scope', 'name a channel or a scope, not both')
  // In a scope it stands for the subject, whoever that is.
  if (channel.includes('{sub}'))
    throw new AuthError('invalid_scope', 'a channel with "{sub}" in its name cannot be granted')
  return `subscribe:${channel}`
}

/** Both limit what is passed on: the token that asks may be narrower, its identity may have become so. */
function mayPassOn(caller: Caller, identity: Identity, subject: string, scope: string): boolean {
  return [caller.scopes, identity.scopes].every((ceiling) => covers(ceiling, scope, subject))
}

/** What the subject gets when nothing is asked for: channels, and never a service scope. */
function channelScopes(caller: Caller, identity: Identity, subject: string): string[] {
  const held = new Set([...caller.scopes, ...identity.scopes])
  const scopes = [...held].filter(
    (scope) =>
      channelActions.some((action) => scope.startsWith(`${action}:`)) &&
      mayPassOn(caller, identity, subject, scope),
  )
  if (scopes.length === 0)
    throw new AuthError(
      'invalid_scope',
      'the calling identity has no channel scopes to pass on; name in "scope" what the token is for',
    )
  return scopes
}

function narrowed(
  caller: Caller,
  identity: Identity,
  subject: string,
  asked: string,
): readonly string[] {
  const wanted = parseScope(asked)
  if (wanted === undefined || wanted.length === 0)
    throw new AuthError('invalid_scope', 'scope must be known scopes, separated by single spaces')
  const beyond = wanted.find((scope) => !mayPassOn(caller, identity, subject, scope))
  if (beyond !== undefined)
    throw new AuthError('invalid_scope', `the scope ${beyond} is beyond those of the caller`)
  return wanted
}

/** An identity's own token lifetime is the longest that it may pass on. */
function lifetime({ tokenTtlSeconds }: Identity, asked: number | undefined): number | undefined {
  if (asked !== undefined && tokenTtlSeconds !== undefined && asked > tokenTtlSeconds)
    throw new AuthError(
      'ttl_too_long',
      `ttlSeconds must be ${tokenTtlSeconds} at most, the lifetime of the identity's tokens`,
    )
  return asked ?? tokenTtlSeconds
}
