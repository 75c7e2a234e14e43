import type { Introspection } from '@portcullis/contracts/introspection'
import type { IdentityCountPage, TokenCount, TokenInfo } from '@portcullis/contracts/tokens'
import { stateColour } from './identity.js'
import type { Fields, Output } from './output.js'
import { relative, span } from './time.js'

/** Returns a table of tokens. `identity` adds a column with their identity. */
export function tokenList(
  out: Output,
  tokens: readonly TokenInfo[],
  { identity = false }: { identity?: boolean } = {},
): string {
  const now = Date.now()
  return out.table<TokenInfo>(
    [
      { head: 'JTI', value: ({ jti }) => jti, whole: true },
      ...(identity ? [{ head: 'IDENTITY', value: (row: TokenInfo) => row.identity }] : []),
      { head: 'SUBJECT', value: ({ subject }) => subject },
      { head: 'STATE', value: ({ state }) => state, paint: (text) => stateColour(out, text) },
      { head: 'ISSUED', value: ({ issuedAt }) => relative(issuedAt, now) },
      { head: 'ENDS', value: ({ expiresAt }) => relative(expiresAt, now) },
      { head: 'LABELS', value: ({ labels }) => labels.join(' ') },
    ],
    tokens,
    'no tokens',
  )
}

/** Returns the number of tokens by state. */
export function tokenCountText({ paint }: Output, { active, revoked, exact }: TokenCount): string {
  const atLeast = exact ? '' : 'at least '
  return `${atLeast}${paint.green(`${active} active`)}, ${atLeast}${paint.red(`${revoked} revoked`)}`
}

type IdentityCount = IdentityCountPage['identities'][number]

/** Returns a table of counts by identity; a `+` marks a lower bound. */
export function identityCounts(
  out: Output,
  identities: readonly IdentityCount[],
  states: readonly ('active' | 'revoked')[] = ['active', 'revoked'],
): string {
  return out.table<IdentityCount>(
    [
      { head: 'IDENTITY', value: ({ identity }) => identity },
      ...states.map((state) => ({
        head: state.toUpperCase(),
        value: (row: IdentityCount) => `${row[state]}${row.exact ? '' : '+'}`,
        right: true,
      })),
    ],
    identities,
    'no tokens',
  )
}

/** Returns the fields of a token, never the token itself. */
export function tokenFields(
  subject: string,
  token: { jti: string; scope: string; expires_in?: number } & Partial<TokenInfo>,
  file?: string,
): Fields {
  const { expires_in, expiresAt, issuedAt, labels = [], parents = [] } = token
  const ends = expiresAt === undefined ? span(expires_in ?? 0) : relative(expiresAt)
  return [
    ['token', file],
    ['jti', token.jti],
    ['identity', token.identity],
    ['subject', subject],
    ['state', token.state],
    ['scope', token.scope || '(none)'],
    ['labels', labels.length === 0 ? undefined : labels.join(' ')],
    ['parents', parents.length === 0 ? undefined : parents.join(' ')],
    ['issued', issuedAt === undefined ? undefined : new Date(issuedAt).toISOString()],
    ['from', token.issuedFrom],
    [expiresAt === undefined ? 'lifetime' : 'ends', ends],
  ]
}

/** Returns the result of an introspection. */
export function introspectionText(out: Output, answer: Introspection): string {
  if (!answer.active) {
    return out.paint.red('inactive')
  }
  const claims = out.fields([
    ['jti', answer.jti],
    ['identity', answer.client_id],
    ['subject', answer.sub],
    ['scope', answer.scope || '(none)'],
    ['labels', answer.labels.length === 0 ? undefined : answer.labels.join(' ')],
    ['parents', answer.parents.length === 0 ? undefined : answer.parents.join(' ')],
    ['issued', new Date(answer.iat * 1000).toISOString()],
    ['ends', relative(answer.exp * 1000)],
  ])
  return `${out.paint.green('active')}\n${claims}`
}
