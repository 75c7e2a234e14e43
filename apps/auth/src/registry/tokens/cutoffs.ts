import type { Selector } from '@portcullis/contracts/revocations'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import type { TokenRecord } from './record.js'

/** Cut-offs that may select some tokens of an identity: microseconds, -1 where there is none. */
export interface Cutoffs {
  all: number
  members: Map<string, number>
}

/**
 * What a cut-off, in microseconds, counts as: `member` is one of an identity's cut-offs, or `all`. By
 * this a count can be made as if some of them had not moved.
 */
export type AsOf = (member: string, cutoffUs: number) => number

export const asOfNow: AsOf = (_member, cutoffUs) => cutoffUs

/** The member of an identity's cut-offs that a selector moves; undefined when it moves none. */
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

/** What of a token the members of the cut-offs look at. */
type Cuttable = Pick<TokenRecord, 'subject' | 'labels' | 'parents'>

/** The members that select a token. */
function membersFor({ subject, labels, parents }: Cuttable): string[] {
  return ['*', `s:${subject}`, ...labels.map((label) => `l:${label}`), ...parents.map(issuedBy)]
}

/** The member that selects what a token has issued, at any depth. */
export function issuedBy(jti: string): string {
  return `p:${jti}`
}

/** Reads the cut-offs that may select these tokens of one identity. */
export async function readCutoffs(
  registry: Registry,
  partition: number,
  identity: string,
  tokens: readonly Cuttable[],
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

/** Whether a cut-off covers the token: the rule of `coversToken`, over many revocations at once. */
export function isCutOff(
  token: Cuttable & Pick<TokenRecord, 'issuedUs'>,
  { all, members }: Cutoffs,
): boolean {
  return (
    token.issuedUs <= all ||
    membersFor(token).some((member) => token.issuedUs <= (members.get(member) ?? -1))
  )
}
