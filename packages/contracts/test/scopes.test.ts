import fc from 'fast-check'
import t from 'tap'
import { covers, parseScope, permits, permitsChannel } from '../src/index.js'

t.test(
  'a scope string is split once, and refused whole when one part is not a scope',
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
      t.equal(parseScope(bad), undefined, `"${bad}" is not a scope`)
    }
  },
)

t.test('a channel is allowed by its exact name or by a pattern that ends in *', async (t) => {
  const held = ['subscribe:news', 'subscribe:chat:*', 'publish:chat:room1']
  t.ok(permitsChannel(held, 'ada', 'subscribe', 'news'))
  t.notOk(permitsChannel(held, 'ada', 'subscribe', 'news2'), 'an exact name is no prefix')
  t.ok(permitsChannel(held, 'ada', 'subscribe', 'chat:room1'))
  t.notOk(permitsChannel(held, 'ada', 'publish', 'chat:room2'))
  t.notOk(permitsChannel(held, 'ada', 'history', 'chat:room1'), 'each action is granted by itself')
  t.ok(permitsChannel(['admin'], 'ada', 'publish', 'anything'))
})

t.test('{sub} is the subject and never a pattern', async (t) => {
  const held = ['subscribe:user:{sub}', 'subscribe:inbox:{sub}:*']
  t.ok(permitsChannel(held, 'ada', 'subscribe', 'user:ada'))
  t.notOk(permitsChannel(held, 'ada', 'subscribe', 'user:bob'))
  t.ok(permitsChannel(held, 'ada', 'subscribe', 'inbox:ada:1'))
  t.notOk(permitsChannel(held, '*', 'subscribe', 'user:bob'), 'a subject named * opens nothing')
  t.notOk(permitsChannel(held, "$'", 'subscribe', 'user:'), 'no replacement patterns')
})

t.test('admin includes every service scope, and nothing else does', async (t) => {
  t.ok(permits(['admin'], 'tokens:revoke'))
  t.notOk(permits(['tokens:read'], 'tokens:revoke'))
  t.notOk(permits(['subscribe:*'], 'admin'))
})

t.test('a scope is passed on only by someone who holds it', async (t) => {
  const held = ['subscribe:chat:*', 'publish:user:{sub}', 'introspect']
  t.ok(covers(held, 'subscribe:chat:*'))
  t.ok(covers(held, 'subscribe:chat:room*'))
  t.ok(covers(held, 'subscribe:chat:room1'))
  t.notOk(covers(held, 'subscribe:*'), 'wider than what is held')
  t.notOk(covers(held, 'subscribe:cha*'))
  t.notOk(covers(held, 'publish:chat:room1'))
  t.ok(covers(held, 'introspect'))
  t.notOk(covers(held, 'admin'))
  t.ok(covers(held, 'publish:user:ada', 'ada'), 'the subject itself, written out')
  t.notOk(covers(held, 'publish:user:bob', 'ada'))
  t.notOk(covers(held, 'publish:user:ada'), 'without a subject {sub} is only itself')
})

t.test('whatever is covered allows nothing that the ceiling does not', async () => {
  const name = fc.stringMatching(/^[ab:]{0,4}$/)
  const pattern = fc.oneof(
    name.map((text) => `${text}*`),
    name.filter((text) => text !== ''),
    name.map((text) => `${text}{sub}`),
    name.map((text) => `${text}{sub}*`),
  )
  fc.assert(
    fc.property(
      pattern,
      pattern,
      name,
      fc.constantFrom('a', 'b', '*'),
      (outer, inner, channel, subject) => {
        if (!covers([`subscribe:${outer}`], `subscribe:${inner}`, subject)) return
        if (!permitsChannel([`subscribe:${inner}`], subject, 'subscribe', channel)) return
        if (!permitsChannel([`subscribe:${outer}`], subject, 'subscribe', channel))
          throw new Error(`${outer} covers ${inner}, but only the latter allows ${channel}`)
      },
    ),
    { numRuns: 5000 },
  )
})
