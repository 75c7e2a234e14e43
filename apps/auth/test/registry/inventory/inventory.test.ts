import { defined } from '@portcullis/contracts/defined'
import { maxParents } from '@portcullis/contracts/names'
import type { Selector } from '@portcullis/contracts/revocations'
import type { ListTokens } from '@portcullis/contracts/tokens'
import fc from 'fast-check'
import t from 'tap'
import {
  countCovered,
  countTokens,
  countTokensByIdentity,
  deleteIdentity,
  listTokens,
  openRegistry,
  type Registry,
  registerIdentity,
  revoke,
} from '../../../src/registry/index.js'
import { expire } from '../fixtures/age.js'
import { open, token } from '../fixtures/open.js'

/*
 * Compares lists and counts with a model that looks at every token, over random histories of issue,
 * expiry, revocation and deletion.
 */

const identities = ['app', 'app2', 'bank']
const subjects = ['ann', 'anna', 'bob']
const labels = ['phone', 'phone2', 'web']

const oneOf = (names: string[]) => fc.constantFrom(...names)
const issuing = fc.record({
  kind: fc.constant('issue' as const),
  identity: oneOf(identities),
  subject: oneOf(subjects),
  labels: fc.uniqueArray(oneOf(labels)),
  /** Index of an active token of the same identity. */
  parent: fc.option(fc.nat(), { nil: undefined }),
})
const revoking = fc.record({
  kind: fc.constant('revoke' as const),
  how: fc.constantFrom(
    'jti',
    'jti',
    'cascade',
    'cascade',
    'subject',
    'subject',
    'label',
    'identity',
    'all',
  ),
  which: fc.nat(),
  bounded: fc.boolean(),
})
const step = fc.oneof(
  { weight: 6, arbitrary: issuing },
  { weight: 3, arbitrary: revoking },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('expire' as const), which: fc.nat() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), identity: oneOf(identities) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

const maybe = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined })
const filters = fc.record({
  identity: maybe(oneOf(identities)),
  subject: maybe(oneOf(subjects)),
  label: maybe(oneOf(labels)),
  /** Index of an ancestor. */
  parent: maybe(fc.nat()),
  state: maybe(fc.constantFrom('active' as const, 'revoked' as const)),
  /** Indexes of tokens. */
  issuedAfter: maybe(fc.nat()),
  issuedBefore: maybe(fc.nat()),
  expiresBefore: maybe(fc.nat()),
})

interface Known {
  jti: string
  identity: string
  subject: string
  labels: string[]
  parents: string[]
  issuedUs: number
  expiresAt: number
  revoked: boolean
}

/** The expected state of a registry. */
class Model {
  readonly #registry: Registry
  tokens: Known[] = []

  constructor(registry: Registry) {
    this.#registry = registry
  }

  async play(step: Step): Promise<void> {
    const registry = this.#registry
    if (step.kind === 'issue') {
      const { identity, subject, labels } = step
      // Lifetimes in another order than the issue times.
      const ttlSeconds = 1000 + ((this.tokens.length * 7919) % 97)
      const able = this.tokens.filter(
        (one) => one.identity === identity && !one.revoked && one.parents.length < maxParents,
      )
      const parent = step.parent === undefined ? undefined : able[step.parent % able.length]
      const parents = parent === undefined ? [] : [parent.jti, ...parent.parents]
      const order = { subject, labels, ttlSeconds, parent: parent?.jti }
      const issued = await token(registry, identity, order)
      this.tokens.push({ identity, subject, labels, parents, revoked: false, ...issued })
    } else if (step.kind === 'delete') {
      await deleteIdentity(registry, step.identity)
      await registerIdentity(registry, { identity: step.identity, scopes: [] })
      this.tokens = this.tokens.filter(({ identity }) => identity !== step.identity)
    } else {
      const one = this.at(step.which)
      if (one === undefined) {
        return
      }
      if (step.kind === 'expire') {
        // Tokens expire with their parents.
        const ended = this.tokens.filter(({ jti, parents }) => [jti, ...parents].includes(one.jti))
        for (const { identity, jti } of ended) {
          await expire(registry, identity, jti)
        }
        this.tokens = this.tokens.filter((token) => !ended.includes(token))
      } else {
        await this.#revoke(selectorOf(step.how, one), step.bounded ? one : undefined)
      }
    }
  }

  /** Returns one of the live tokens. */
  at(which: number): Known | undefined {
    return this.tokens[which % Math.max(this.tokens.length, 1)]
  }

  async #revoke(selector: Selector, before: Known | undefined): Promise<void> {
    const issuedBefore = before === undefined ? undefined : Math.floor(before.issuedUs / 1000)
    const cutoffUs = issuedBefore === undefined ? undefined : issuedBefore * 1000 - 1
    const covered = this.tokens.filter(
      (one) =>
        !one.revoked &&
        selects(selector, one) &&
        (cutoffUs === undefined || one.issuedUs <= cutoffUs),
    )
    const dry = await countCovered(this.#registry, selector, cutoffUs)
    equal(dry, { tokens: covered.length, exact: true }, 'a dry run', selector)
    const { tokens, atLeast } = await revoke(this.#registry, { selector, issuedBefore })
    equal(
      { tokens, atLeast },
      { tokens: covered.length, atLeast: undefined },
      'a receipt',
      selector,
    )
    for (const one of covered) {
      one.revoked = true
    }
  }
}

function selectorOf(how: string, { jti, identity, subject, labels: [label = 'none'] }: Known) {
  if (how === 'jti') {
    return { jti }
  }
  if (how === 'cascade') {
    return { jti, cascade: true as const }
  }
  if (how === 'subject') {
    return { identity, subject }
  }
  if (how === 'label') {
    return { identity, label }
  }
  return how === 'identity' ? { identity } : { all: true as const }
}

function selects(selector: Selector, one: Known): boolean {
  if ('all' in selector) {
    return true
  }
  if ('jti' in selector) {
    return (
      selector.jti === one.jti || (selector.cascade === true && one.parents.includes(selector.jti))
    )
  }
  if (selector.identity !== one.identity) {
    return false
  }
  if ('subject' in selector) {
    return selector.subject === one.subject
  }
  return !('label' in selector) || one.labels.includes(selector.label)
}

function isWanted(query: ListTokens, one: Known): boolean {
  const { identity, subject, label, parent, state, issuedAfter, issuedBefore, expiresBefore } =
    query
  const issuedAt = one.issuedUs / 1000
  return (
    (identity === undefined || one.identity === identity) &&
    (subject === undefined || one.subject === subject) &&
    (label === undefined || one.labels.includes(label)) &&
    (parent === undefined || one.parents.includes(parent)) &&
    (state === undefined || one.revoked === (state === 'revoked')) &&
    (issuedAfter === undefined || issuedAt >= issuedAfter) &&
    (issuedBefore === undefined || issuedAt < issuedBefore) &&
    (expiresBefore === undefined || one.expiresAt < expiresBefore)
  )
}

function equal(found: unknown, wanted: unknown, ...what: unknown[]): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(JSON.stringify({ what, found, wanted }))
  }
}

/** Sorts by identity, then newest first. */
function inOrder(tokens: readonly Known[]): string[] {
  return [...tokens]
    .sort((a, b) =>
      a.identity === b.identity ? b.issuedUs - a.issuedUs : a.identity < b.identity ? -1 : 1,
    )
    .map(({ jti }) => jti)
}

async function* pages(registry: Registry, query: ListTokens) {
  let cursor: string | undefined
  do {
    const page = await listTokens(registry, {
      ...query,
      ...defined({ cursor }),
    })
    yield page.tokens
    cursor = page.cursor
  } while (cursor !== undefined)
}

function queryOf(model: Model, filter: typeof filters extends fc.Arbitrary<infer V> ? V : never) {
  const ms = (which: number | undefined, time: (one: Known) => number) => {
    const one = which === undefined ? undefined : model.at(which)
    return one === undefined ? undefined : Math.floor(time(one))
  }
  const { parent, issuedAfter, issuedBefore, expiresBefore, ...names } = filter
  const query = {
    ...names,
    parent: parent === undefined ? undefined : model.at(parent)?.jti,
    issuedAfter: ms(issuedAfter, ({ issuedUs }) => issuedUs / 1000),
    issuedBefore: ms(issuedBefore, ({ issuedUs }) => issuedUs / 1000 + 1),
    expiresBefore: ms(expiresBefore, ({ expiresAt }) => expiresAt),
  }
  return Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== undefined),
  ) as ListTokens
}

for (const partitions of [1, 4]) {
  t.test(
    `lists and counts equal those of a model that looks at every token; P=${partitions}`,
    async (t) => {
      const fresh = await models(t, partitions)
      const scenes = fc.asyncProperty(
        fc.array(step, { minLength: 8, maxLength: 30 }),
        fc.array(filters, { minLength: 4, maxLength: 6 }),
        async (steps, asked) => {
          const { registry, model } = await fresh()
          for (const one of steps) {
            await model.play(one)
          }
          for (const filter of asked) {
            const query = queryOf(model, filter)
            const wanted = model.tokens.filter((one) => isWanted(query, one))
            const listed: string[] = []
            for await (const tokens of pages(registry, { ...query, limit: 3 })) {
              equal(
                tokens.map(({ state }) => state),
                tokens.map(({ jti }) =>
                  wanted.find((one) => one.jti === jti)?.revoked ? 'revoked' : 'active',
                ),
                'states',
                query,
              )
              listed.push(...tokens.map(({ jti }) => jti))
            }
            equal(listed, inOrder(wanted), 'a list', query)
            equal(await countTokens(registry, query), countOf(wanted), 'a count', query)
            const { identities: counts } = await countTokensByIdentity(registry, query)
            equal(
              counts,
              identities
                .map((identity) => ({
                  identity,
                  ...countOf(wanted.filter((one) => one.identity === identity)),
                }))
                .filter(({ active, revoked }) => active + revoked > 0),
              'counts by identity',
              query,
            )
          }
        },
      )
      await fc.assert(scenes, { numRuns: 25 })
      t.pass()
    },
  )
}

t.test('pages have each token once while tokens are issued, revoked and expire', async (t) => {
  const fresh = await models(t, 4)
  const scenes = fc.asyncProperty(
    fc.array(issuing, { minLength: 5, maxLength: 20 }),
    filters,
    fc.array(step, { maxLength: 20 }),
    async (before, filter, between) => {
      const { registry, model } = await fresh()
      for (const one of before) {
        await model.play(one)
      }
      const query = queryOf(model, { ...filter, state: undefined })
      const atFirst = [...model.tokens]
      const rest = [...between]
      const listed: string[] = []
      for await (const tokens of pages(registry, { ...query, limit: 2 })) {
        listed.push(...tokens.map(({ jti }) => jti))
        for (const one of rest.splice(0, 3)) {
          await model.play(one)
        }
      }
      const always = atFirst.filter((one) => model.tokens.includes(one) && isWanted(query, one))
      const found = always.filter(({ jti }) => listed.includes(jti))
      equal(new Set(listed).size, listed.length, 'no token twice')
      equal(found.length, always.length, 'every token that existed throughout')
      const known = inOrder(atFirst).filter((jti) => listed.includes(jti))
      equal(
        listed.filter((jti) => known.includes(jti)),
        known,
        'in order',
      )
    },
  )
  await fc.assert(scenes, { numRuns: 25 })
  t.pass()
})

t.test('a token that several revocations cover counts once', async (t) => {
  const { registry, model } = await (await models(t, 1))()
  const issue = (subject: string, labels: string[] = []) =>
    model.play({ kind: 'issue', identity: 'app', subject, labels, parent: undefined })
  await issue('ann', ['phone'])
  await issue('bob', ['phone'])
  for (let i = 0; i < 10; i += 1) {
    await issue('anna', ['web'])
  }
  const counts = [
    { how: 'jti', which: 0, revoked: 1 },
    { how: 'subject', which: 0, revoked: 1 },
    { how: 'label', which: 0, revoked: 2 },
    { how: 'subject', which: 1, revoked: 2 },
    { how: 'jti', which: 5, revoked: 3 },
    { how: 'identity', which: 0, revoked: 12 },
  ] as const
  for (const { how, which, revoked } of counts) {
    await model.play({ kind: 'revoke', how, which, bounded: false })
    t.same(await countTokens(registry, { identity: 'app' }), {
      active: 12 - revoked,
      revoked,
      exact: true,
    })
  }
})

t.test('refuses a cursor of another list', async (t) => {
  const { registry } = await (await models(t, 1))()
  const bad = [
    { cursor: 'x' },
    { cursor: '5' },
    { cursor: '5.' },
    { cursor: '5.a b' },
    { cursor: '5.bank', identity: 'app' },
    { cursor: '12345678901234567', identity: 'app' },
  ]
  for (const query of bad) {
    await t.rejects(listTokens(registry, query), { code: 'bad_cursor' }, JSON.stringify(query))
  }
  await t.rejects(countTokensByIdentity(registry, { cursor: '*' }), { code: 'bad_cursor' })
})

function countOf(tokens: readonly Known[]) {
  const revoked = tokens.filter((one) => one.revoked).length
  return { active: tokens.length - revoked, revoked, exact: true }
}

/** Returns a function that opens registries on one connection; their keys are deleted after the test. */
async function models(t: Parameters<typeof open>[0], partitions: number) {
  const { registry: first, prefix } = await open(t, { partitions })
  let made = 0
  return async () => {
    made += 1
    const registry = await openRegistry({ ...first, partitions, prefix: `${prefix}:${made}` })
    for (const identity of identities) {
      await registerIdentity(registry, { identity, scopes: [] })
    }
    return { registry, model: new Model(registry) }
  }
}
