import { maxParents } from '@portcullis/contracts/names'
import { coversToken, type RevocationEvent, type Selector } from '@portcullis/contracts/revocations'
import fc from 'fast-check'
import t from 'tap'
import {
  introspectById,
  type RegistryError,
  readFeed,
  registerIdentity,
  revoke,
} from '../../../src/registry/index.js'
import { open, token } from '../fixtures/open.js'

const names = ['a', 'b']
// Subjects and labels that look like each other, and like members of the cut-offs.
const words = ['a', 'b', 's:a', 'l:a', '*']
const labels = fc.uniqueArray(fc.constantFrom('a', 'b', 's:a', 'l:a'), { maxLength: 3 })
const identity = fc.constantFrom(...names)

type Step =
  | {
      kind: 'issue'
      identity: string
      subject: string
      labels: string[]
      parent: number | undefined
    }
  | { kind: 'revoke'; selector: (jtis: string[]) => Selector; ago: number | undefined }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('issue' as const),
    identity,
    subject: fc.constantFrom(...words),
    labels,
    parent: fc.option(fc.nat(20), { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('revoke' as const),
    ago: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
    selector: fc.oneof(
      fc.nat(20).map((i) => (jtis: string[]) => ({ jti: jtis[i % jtis.length] ?? unknown })),
      fc.nat(20).map((i) => (jtis: string[]) => ({
        jti: jtis[i % jtis.length] ?? unknown,
        cascade: true as const,
      })),
      identity.map((name) => () => ({ identity: name })),
      fc.tuple(identity, fc.constantFrom(...words)).map(([name, subject]) => () => ({
        identity: name,
        subject,
      })),
      fc.tuple(identity, fc.constantFrom('a', 's:a', 'l:a')).map(([name, label]) => () => ({
        identity: name,
        label,
      })),
      fc.constant(() => ({ all: true as const })),
    ),
  }),
)
const unknown = `0-${'A'.repeat(22)}`

t.test('introspection refuses exactly the tokens that an event of the feed covers', async (t) => {
  for (const partitions of [1, 4]) {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
        const { registry } = await open(t, { partitions })
        for (const name of names) {
          await registerIdentity(registry, { identity: name, scopes: [] })
        }
        const issued: {
          jti: string
          identity: string
          subject: string
          labels: string[]
          parents: string[]
          issuedUs: number
          expiresAt: number
        }[] = []
        for (const each of steps) {
          if (each.kind === 'issue') {
            const { kind: _, parent: at, ...order } = each
            const own = issued.filter((one) => one.identity === order.identity)
            const parent = at === undefined ? undefined : own[at % own.length]
            const parents = parent === undefined ? [] : [parent.jti, ...parent.parents]
            const [isParentActive] =
              parent === undefined
                ? [true]
                : await introspectById(registry, [{ jti: parent.jti, client_id: order.identity }])
            // Increasing, so that children would outlive their parents.
            const ttlSeconds = 1000 + issued.length
            const made = await token(registry, order.identity, {
              ...order,
              ttlSeconds,
              parent: parent?.jti,
            }).catch((error: RegistryError) => error.code)
            const refused =
              isParentActive === undefined
                ? 'parent_ended'
                : parents.length > maxParents
                  ? 'too_many_parents'
                  : undefined
            if (typeof made === 'string' || refused !== undefined) {
              if (made !== refused) {
                throw new Error(`${JSON.stringify(made)}, not ${refused}`)
              }
              continue
            }
            if (made.expiresAt > (parent?.expiresAt ?? Number.POSITIVE_INFINITY)) {
              throw new Error('a token outlives its parent')
            }
            issued.push({ ...order, parents, ...made })
          } else {
            const issuedBefore = each.ago === undefined ? undefined : Date.now() - each.ago
            const selector = each.selector(issued.map(({ jti }) => jti))
            await revoke(registry, { selector, issuedBefore })
          }
        }
        const events: RevocationEvent[] = []
        const read = await readFeed(registry, Array(partitions).fill('0-0').join(','), 100)
        if (read !== 'lost') {
          events.push(...read.revocations)
        }

        const answers = await introspectById(
          registry,
          issued.map(({ jti, identity: client_id }) => ({ jti, client_id })),
        )
        for (const [index, each] of issued.entries()) {
          // An event of {all: true} applies to the clock of its partition.
          const covered = events.some((event) => coversToken(event, each))
          if (covered === (answers[index] !== undefined)) {
            throw new Error(`the registry and coversToken disagree on ${JSON.stringify(each)}`)
          }
        }
        if (read === 'lost') {
          throw new Error('the feed was lost')
        }
      }),
      { numRuns: 40 },
    )
  }
})
