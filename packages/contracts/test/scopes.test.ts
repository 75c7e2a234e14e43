import fc from 'fast-check'
import t from 'tap'
import { covers, parseScope, permits, permitsChannel, scopesToGive } from '../src/scopes.js'

t.test(
  'splits a scope string without duplicates, and rejects it if one part is not a scope',
  async (t) => {
    t.same(parseScope('subscribe:a publish:b*  introspect subscribe:a'), [
      'subscribe:a',
      'publish:b*',
      'introspect',
    ])
    t.same(parseScope(''), [])
    for (const bad of [
      'subscribe',
      'subscribe:',
      'eat:cheese',
      'admin subscribe:a*b',
      'publish:a\\b',
      'publish:"',
    ]) {
      t.equal(parseScope(bad), undefined, `rejects "${bad}"`)
    }
  },
)

t.test('allows a channel by its exact name or by a pattern that ends in *', async (t) => {
  const held = ['subscribe:news', 'subscribe:chat:*', 'publish:chat:room1']
  t.ok(permitsChannel(held, 'ada', 'subscribe', 'news'))
  t.notOk(permitsChannel(held, 'ada', 'subscribe', 'news2'), 'does not match a longer name')
  t.ok(permitsChannel(held, 'ada', 'subscribe', 'chat:room1'))
  t.notOk(permitsChannel(held, 'ada', 'publish', 'chat:room2'))
  t.notOk(permitsChannel(held, 'ada', 'history', 'chat:room1'), 'does not allow another action')
  t.ok(permitsChannel(['admin'], 'ada', 'publish', 'anything'))
})

t.test('replaces {sub} by the subject, never by a pattern', async (t) => {
  const held = ['subscribe:user:{sub}', 'subscribe:inbox:{sub}:*']
  t.ok(permitsChannel(held, 'ada', 'subscribe', 'user:ada'))
  t.notOk(permitsChannel(held, 'ada', 'subscribe', 'user:bob'))
  t.ok(permitsChannel(held, 'ada', 'subscribe', 'inbox:ada:1'))
  t.notOk(
    permitsChannel(held, '*', 'subscribe', 'user:bob'),
    'a subject named * matches no other channel',
  )
  t.notOk(permitsChannel(held, "$'", 'subscribe', 'user:'), 'does not expand replacement patterns')
})

t.test('only admin includes other service scopes', async (t) => {
  t.ok(permits(['admin'], 'tokens:revoke'))
  t.notOk(permits(['tokens:read'], 'tokens:revoke'))
  t.notOk(permits(['subscribe:*'], 'admin'))
})

t.test('covers only scopes inside the ceiling', async (t) => {
  const held = ['subscribe:chat:*', 'publish:user:{sub}', 'introspect']
  t.ok(covers(held, 'subscribe:chat:*'))
  t.ok(covers(held, 'subscribe:chat:room*'))
  t.ok(covers(held, 'subscribe:chat:room1'))
  t.notOk(covers(held, 'subscribe:*'), 'does not cover a wider pattern')
  t.notOk(covers(held, 'subscribe:cha*'))
  t.notOk(covers(held, 'publish:chat:room1'))
  t.ok(covers(held, 'introspect'))
  t.notOk(covers(held, 'admin'))
  t.ok(covers(held, 'publish:user:ada', 'ada'), 'covers the channel of the subject itself')
  t.notOk(covers(held, 'publish:user:bob', 'ada'))
  t.notOk(covers(held, 'publish:user:ada'), 'without a subject, the result holds for every subject')
})

t.test('covers {sub} only if it covers the channels of all subjects', async (t) => {
  t.notOk(covers(['subscribe:odd:{*'], 'subscribe:odd:{sub}'), 'a subject need not begin with {')
  t.ok(covers(['subscribe:odd:*'], 'subscribe:odd:{sub}'))
  t.ok(covers(['subscribe:odd:{sub}*'], 'subscribe:odd:{sub}:a'))
  t.notOk(covers(['subscribe:user:ada'], 'subscribe:user:{sub}'))
  t.ok(covers(['subscribe:user:ada'], 'subscribe:user:{sub}', 'ada'))
})

t.test("replaces {sub} by the holder's subject in scopes for others", async (t) => {
  const registrar = { identity: 'reg', subject: 'reg', scopes: ['publish:a', 'subscribe:u:{sub}'] }
  t.same(scopesToGive(registrar, 'victim'), ['publish:a', 'subscribe:u:reg'])
  t.same(scopesToGive(registrar), ['publish:a', 'subscribe:u:reg'])
  t.same(
    scopesToGive(registrar, 'reg'),
    ['publish:a', 'subscribe:u:{sub}', 'subscribe:u:reg'],
    'also keeps {sub} for its own identity',
  )
  t.same(scopesToGive({ ...registrar, subject: 'ada' }, 'reg'), ['publish:a', 'subscribe:u:ada'])
  for (const subject of [
    '*',
    'a *',
    'x admin',
    '{sub}',
    'a\nb',
    '"',
    'é',
    'ada*',
    'a'.repeat(256),
  ]) {
    t.same(scopesToGive({ ...registrar, subject }), ['publish:a'], JSON.stringify(subject))
  }
  const split = { identity: 'reg', subject: 'ub}', scopes: ['subscribe:{s{sub}'] }
  t.same(scopesToGive(split), [], 'does not create a new template')
})

const name = fc.stringMatching(/^[ab:{]{0,4}$/)
const pattern = fc.oneof(
  name.map((text) => `${text}*`),
  name.filter((text) => text !== ''),
  name.map((text) => `${text}{sub}`),
  name.map((text) => `${text}{sub}*`),
  name.map((text) => `{sub}${text}{sub}`),
)
const subjects = ['a', 'b', '*', '{', '{sub}', 'ab', ':']
const anySubject = fc.constantFrom(...subjects)

/** Channel names that match one of two patterns and not the other. */
const channelName = fc.oneof(
  name,
  fc.tuple(name, anySubject, name).map(([head, subject, tail]) => head + subject + tail),
)
const subscribes = (subject: string, channel: string, ...patterns: readonly string[]): boolean =>
  permitsChannel(
    patterns.map((text) => `subscribe:${text}`),
    subject,
    'subscribe',
    channel,
  )

t.test('a covered scope allows no channel that the ceiling does not allow', async () => {
  const known = fc.option(anySubject, { nil: undefined })
  fc.assert(
    fc.property(pattern, pattern, channelName, known, (outer, inner, channel, subject) => {
      if (!covers([`subscribe:${outer}`], `subscribe:${inner}`, subject)) {
        return
      }
      // Without a subject, the result must hold for all subjects.
      for (const name of subject === undefined ? subjects : [subject]) {
        if (subscribes(name, channel, inner) && !subscribes(name, channel, outer)) {
          throw new Error(
            `${outer} covers ${inner}, but only the latter allows ${channel} to ${name}`,
          )
        }
      }
    }),
    { numRuns: 20_000 },
  )
})

t.test('a scope given to an identity allows no channel that its giver may not use', async () => {
  const who = fc.constantFrom('a', 'b', 'ab')
  fc.assert(
    fc.property(
      fc.array(pattern, { minLength: 1, maxLength: 3 }),
      pattern,
      channelName,
      who,
      anySubject,
      who,
      (held, given, channel, identity, subject, grantee) => {
        const holder = { identity, subject, scopes: held.map((text) => `subscribe:${text}`) }
        if (!covers(scopesToGive(holder, grantee), `subscribe:${given}`)) {
          return
        }
        const isOwn = identity === subject && identity === grantee
        // A subject of the identity, or the identity itself.
        for (const one of [...subjects, grantee]) {
          if (!subscribes(one, channel, given)) {
            continue
          }
          if (subscribes(subject, channel, ...held)) {
            continue
          }
          if (isOwn && subscribes(one, channel, ...held)) {
            continue
          }
          throw new Error(
            `${subject} of ${identity} gave ${grantee} ${given}: ${one} in ${channel}`,
          )
        }
      },
    ),
    { numRuns: 20_000 },
  )
})
