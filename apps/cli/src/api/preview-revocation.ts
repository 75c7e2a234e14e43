import { DryRun } from '@portcullis/contracts/revocations'
import { IdentityCountPage, TokenPage } from '@portcullis/contracts/tokens'
import { CliError } from '../errors.js'
import type { Output } from '../output/output.js'
import { type Covered, previewText, type RevocationTarget } from '../output/preview.js'
import type { AuthApi } from './auth-api.js'

/** How many of what is covered are shown by name. */
const shownRows = 10
const countedIdentities = 1000

/**
 * What a revocation would cover at this moment: how many tokens, and of `all` whose they are, of
 * an identity or a label which were issued last. What the caller may not read is said, not shown.
 */
export async function preview(
  out: Output,
  auth: AuthApi,
  target: RevocationTarget,
): Promise<string> {
  const json = { ...target, dryRun: true }
  const [tokens, covered] = await Promise.all([
    allowed(auth.call(DryRun, '/v1/revocations', { method: 'POST', json })),
    target.token === undefined ? allowed(coveredBy(auth, target)) : undefined,
  ])
  return previewText(out, { auth, target, tokens, covered })
}

async function coveredBy(
  auth: AuthApi,
  { all, issuedBefore, cascade: _, ...filter }: RevocationTarget,
): Promise<Covered> {
  const query = new URLSearchParams({ ...filter, state: 'active' })
  if (issuedBefore !== undefined) {
    query.set('issuedBefore', `${issuedBefore}`)
  }
  if (all) {
    query.set('limit', `${countedIdentities}`)
    const { identities, cursor } = await auth.call(
      IdentityCountPage,
      `/v1/tokens/count/by-identity?${query}`,
    )
    const most = identities.toSorted((a, b) => b.active - a.active)
    return { identities: most, more: cursor !== undefined }
  }
  query.set('limit', `${shownRows}`)
  const { tokens } = await auth.call(TokenPage, `/v1/tokens?${query}`)
  return { tokens }
}

/** The answer, or why the caller may not have it. */
async function allowed<Answer>(answer: Promise<Answer>): Promise<Answer | CliError> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof CliError && error.code === 'refused') {
      return error
    }
    throw error
  }
}
