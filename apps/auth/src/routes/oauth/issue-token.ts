import { covers, type Identity, parseScope, TokenAnswer, TokenRequest } from '@portcullis/contracts'
import { noteIssued } from '../../audit/note-issued.js'
import { AuthError } from '../../errors.js'
import { issue } from '../../tokens/issue.js'
import { oauthAnswers } from '../answers.js'
import type { Route } from '../route.js'

/** `POST /oauth/token`: the client-credentials grant (RFC 6749 §4.4). */
export const issueToken: Route = async (app) => {
  app.post(
    '/oauth/token',
    {
      config: { audit: 'token.issue' },
      schema: {
        summary: 'Get a token for an identity (client-credentials grant)',
        consumes: ['application/x-www-form-urlencoded'],
        body: TokenRequest,
        response: { 200: TokenAnswer, ...oauthAnswers },
      },
    },
    async (request) => {
      const { grant_type, scope } = request.body
      requireClientCredentials(grant_type)
      const identity = await app.authenticateClient(request, request.body)
      const answer = await issue(app.registry, app.tokens, {
        identity: identity.identity,
        subject: identity.identity,
        scopes: narrowed(identity, scope),
        ttlSeconds: identity.tokenTtlSeconds ?? app.defaultTtlSeconds,
        labels: [],
        from: request.ip,
      })
      noteIssued(request, answer)
      app.meters.tokensIssued.inc({ grant: 'client_credentials' })
      return answer
    },
  )
}

function requireClientCredentials(grantType: string): void {
  if (grantType !== 'client_credentials')
    throw new AuthError('unsupported_grant_type', 'grant_type must be client_credentials')
}

/** The scopes asked for, all of which the identity must have; without any, all of its own. */
function narrowed({ identity, scopes }: Identity, asked: string | undefined): readonly string[] {
  if (asked === undefined || asked === '') return scopes
  const wanted = parseScope(asked)
  if (wanted === undefined)
    throw new AuthError('invalid_scope', 'scope must be known scopes, separated by single spaces')
  const beyond = wanted.find((scope) => !covers(scopes, scope, identity))
  if (beyond !== undefined)
    throw new AuthError('invalid_scope', `the identity does not have the scope ${beyond}`)
  return wanted
}
