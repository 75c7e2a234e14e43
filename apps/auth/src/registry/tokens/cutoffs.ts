import type { Selector } from '@portcullis/contracts/revocations'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import type { TokenRecord } from './record.js'

/** The cut-offs that may cover some tokens of an identity, in microseconds; -1 for none. */
export interface Cutoffs {
  all: number
  members: Map<string, number>
}

/**
 * Returns the microsecond that a cut-off counts as. `member` is one of an identity's cut-offs, or
 * `all`. So a count can ignore cut-offs that have moved since a commit.
 */
export type AsOf = (member: string, cutoffUs: number) => number

export const asOfNow: AsOf = (_member, cutoffUs) => cutoffUs

/**
 * Returns the member of an identity's cut-offs that a selector moves, or undefined when it moves
 * none.
 */
export function memberOf(selector: Selector): string | undefined {
  if ('all' in selector) {
    return undefined
  }
  if ('jti' in selector) {
    return selector.cascade === true ? issuedBy(selector.jti) : undefined
  }
  if ('subject' in selector) {
    return `s:${selector.subject}`
  }
  if ('label' in selector) {
    return `l:${selector.label}`
  }
  return '*'
}

/** The fields of a token that cut-offs select by. */
type SelectableFields = Pick<TokenRecord, 'subject' | 'labels' | 'parents'>

/** Returns the members that select a token. */
function membersFor({ subject, labels, parents }: SelectableFields): string[] {
  return ['*', `s:${subject}`, ...labels.map((label) => `l:${label}`), ...parents.map(issuedBy)]
}

/** Returns the member that selects the tokens that a token has issued, at any depth. */
export function issuedBy(jti: string): string {
  return `p:${jti}`
}

/** Reads the cut-offs that may cover these tokens of one identity. */
export async function readCutoffs(
  registry: Registry,
  partition: number,
  identity: string,
  tokens: readonly SelectableFields[],
  asOf: AsOf = asOfNow,
): Promise<Cutoffs> {
  const members = [...new Set(['*', ...tokens.flatMap(membersFor)])]
  const { redis, keys } = registry
  const [scores, all] = await Promise.all([
    guard(redis.zmscore(keys.cutoffs(partition, identity), ...members)),
    guard(redis.get(keys.cutoffAll(partition))),
  ])
  return {
    all: asOf('all', Number(all ?? -1)),
    members: new Map(
      members.map((member, index) => [member, asOf(member, Number(scores[index] ?? -1))]),
    ),
  }
}

/**
 * Returns true when a cut-off covers the token: the rule of `coversToken`, for many revocations at
 * once.
 */
export function isCutOff(
  token: SelectableFields & Pick<TokenRecord, 'issuedUs'>,
  { all, members }: Cutoffs,
): boolean {
  return (
    token.issuedUs <= all ||
    membersFor(token).some((member) => token.issuedUs <= (members.get(member) ?? -1))
  )
}
