import type { DryRun } from '@portcullis/contracts/revocations'
import type { IdentityCountPage, TokenInfo } from '@portcullis/contracts/tokens'
import type { CliError } from '../errors.js'
import { counted } from './counted.js'
import type { Output } from './output.js'
import { selectorText } from './receipt.js'
import { identityCounts, tokenList } from './token.js'

/** The tokens to revoke: a selector of `POST /v1/revocations`, with its `issuedBefore`. */
export interface RevocationTarget {
  identity?: string
  label?: string
  subject?: string
  token?: string
  cascade?: true
  all?: true
  issuedBefore?: number
}

type IdentityCount = IdentityCountPage['identities'][number]

/** Covered tokens: by identity, the highest count first; or the tokens themselves, newest first. */
export type Covered =
  | { identities: readonly IdentityCount[]; more: boolean }
  | { tokens: readonly TokenInfo[] }

interface Preview {
  auth: { url: string; identity: string }
  target: RevocationTarget
  tokens: DryRun | CliError
  covered: Covered | CliError | undefined
}

const shownIdentities = 10

/** Returns text that shows what a revocation would do. */
export function previewText(out: Output, { auth, target, tokens, covered }: Preview): string {
  const { issuedBefore, token, ...others } = target
  // Security: a JWT, which has dots, is a secret; an id has none and may be shown.
  const isSecret = token?.includes('.') === true
  const selector = token === undefined || isSecret ? others : { token, ...others }
  const parts = [isSecret ? 'the given token' : '', selectorText(selector)]
  const number = 'dryRun' in tokens ? tokens.tokens : undefined
  const atLeast = 'atLeast' in tokens && tokens.atLeast ? 'at least ' : ''
  const what =
    number === undefined
      ? 'an unknown number of tokens (you may not count them)'
      : `${atLeast}${counted(number, 'token')}`
  const fields = out.fields([
    ['at', `${auth.url}, as ${auth.identity}`],
    ['covers', parts.filter((part) => part !== '').join(', ')],
    [
      'issued before',
      issuedBefore === undefined ? undefined : new Date(issuedBefore).toISOString(),
    ],
  ])
  return `${out.paint.bold(`would revoke ${what}`)}\n${fields}${coveredText(out, number, covered)}`
}

function coveredText(out: Output, number: number | undefined, covered: Preview['covered']): string {
  if (covered === undefined || number === 0) {
    return ''
  }
  if (!('tokens' in covered || 'identities' in covered)) {
    return `\n${out.paint.dim(`the tokens cannot be listed: ${covered.message}`)}`
  }
  if ('tokens' in covered) {
    const { tokens } = covered
    const more = (number ?? 0) - tokens.length
    const rest = more > 0 ? `\n${out.paint.dim(`and ${more} more`)}` : ''
    return `\n\n${tokenList(out, tokens)}${rest}`
  }
  const { identities, more } = covered
  const rows = identityCounts(out, identities.slice(0, shownIdentities), ['active'])
  const hidden = identities.length - shownIdentities
  const beyond = `and ${counted(Math.max(hidden, 0), 'identity', 'identities')} more`
  const rest = more ? 'and of many more identities' : beyond
  return `\n\n${rows}${more || hidden > 0 ? `\n${out.paint.dim(rest)}` : ''}`
}
