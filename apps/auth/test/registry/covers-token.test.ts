import { coversToken, type RevocationEvent, type Selector } from '@portcullis/contracts'
import fc from 'fast-check'
import t from 'tap'
import { introspect, readFeed, registerIdentity, revoke } from '../../src/registry/index.js'
import { open, token } from './fixtures/open.js'

const names = ['a', 'b']
// Subjects and labels that look like each other, and like the marks of the cut-offs.
const words = ['a', 'b', 's:a', 'l:a', '*']
const labels = fc.uniqueArray(fc.constantFrom('a', 'b', 's:a', 'l:a'), { maxLength: 3 })
const identity = fc.constantFrom(...names)

type Step =
  | { kind: 'issue'; identity: string; subject: string; labels: string[] }
  | { kind: 'revoke'; selector: (jtis: string[]) => Selector; ago: number | undefined }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('issue' as const),
    identity,
    subject: fc.constantFrom(...words),
    labels,
  }),
  fc.record({
    kind: fc.constant('revoke' as const),
    ago: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
    selector: fc.oneof(
      fc.nat(20).map((i) => (jtis: string[]) => ({ jti: jtis[i % jtis.length] ?? unknown })),
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

t.test('introspection refuses exactly what some event of the feed covers', async (t) => {
  for (const partitions of [1, 4])
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
        const { registry } = await open(t, { partitions })
        for (const name of names) await registerIdentity(registry, { identity: name, scopes: [] })
        const issued: {
          jti: string
          identity: string
          subject: string
          labels: string[]
          issuedUs: number
        }[] = []
        for (const each of steps)
          if (each.kind === 'issue') {
            const { kind: _, ...order } = each
            issued.push({ ...order, ...(await token(registry, order.identity, order)) })
          } else {
            const issuedBefore = each.ago === undefined ? undefined : Date.now() - each.ago
            const selector = each.selector(issued.map(({ jti }) => jti))
            await revoke(registry, { selector, issuedBefore })
          }
        const events: RevocationEvent[] = []
        const read = await readFeed(registry, Array(partitions).fill('0-0').join(','), 100)
        if (read !== 'lost') events.push(...read.revocations)

        const answers = await introspect(
          registry,
          issued.map(({ jti, identity: client_id }) => ({ jti, client_id })),
        )
        for (const [index, each] of issued.entries()) {
          // One partition's event of {all: true} stands for that partition's clock.
          const covered = events.some((event) => coversToken(event, each))
          if (covered === (answers[index] !== undefined))
            throw new Error(`the registry and coversToken disagree on ${JSON.stringify(each)}`)
        }
        if (read === 'lost') throw new Error('the feed was lost')
      }),
      { numRuns: 40 },
    )
})
