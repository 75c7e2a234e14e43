import { defined } from '@portcullis/contracts/defined'
import { DryRun } from '@portcullis/contracts/revocations'
import { IdentityCountPage, TokenPage } from '@portcullis/contracts/tokens'
import { CliError } from '../errors.js'
import type { Output } from '../output/output.js'
import { type Covered, previewText, type RevocationTarget } from '../output/preview.js'
import type { AuthApi } from './auth-api.js'

const shownTokens = 10
const countedIdentities = 1000

/**
 * Returns text that shows what a revocation would cover now: the number of tokens and, for `all`, the
 * identities, otherwise the newest tokens. Parts that the caller may not read say so.
 */
export async function previewRevocation(
  out: Output,
  auth: AuthApi,
  target: RevocationTarget,
): Promise<string> {
  const json = { ...target, dryRun: true }
  const [tokens, covered] = await Promise.all([
    orRefusal(auth.call(DryRun, '/v1/revocations', { method: 'POST', json })),
    target.token === undefined ? orRefusal(readCovered(auth, target)) : undefined,
  ])
  return previewText(out, { auth, target, tokens, covered })
}

async function readCovered(
  auth: AuthApi,
  { all, issuedBefore, cascade: _, ...filter }: RevocationTarget,
): Promise<Covered> {
  const query = new URLSearchParams({
    ...filter,
    state: 'active',
    ...defined({ issuedBefore: issuedBefore?.toString() }),
  })
  if (all) {
    query.set('limit', `${countedIdentities}`)
    const path = `/v1/tokens/count/by-identity?${query}`
    const { identities, cursor } = await auth.call(IdentityCountPage, path)
    const sorted = identities.toSorted((a, b) => b.active - a.active)
    return { identities: sorted, more: cursor !== undefined }
  }
  query.set('limit', `${shownTokens}`)
  const { tokens } = await auth.call(TokenPage, `/v1/tokens?${query}`)
  return { tokens }
}

/** Resolves to the answer, or to the error when auth refuses the caller. */
async function orRefusal<Answer>(answer: Promise<Answer>): Promise<Answer | CliError> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof CliError && error.code === 'refused') {
      return error
    }
    throw error
  }
}
