import t from 'tap'
import { Presence } from '../../src/interactive/presence.js'

const ada = { client: '1', user: 'ada' }
const bob = { client: '2', user: 'bob' }
const users = (presence: Presence) => [...presence.users()].flat().join(' ')

t.test('what comes while the look is under way counts, in whatever order', async (t) => {
  const presence = new Presence()
  let answer = (_present: (typeof ada)[]) => {}
  const asked = new Promise<(typeof ada)[]>((resolve) => {
    answer = resolve
  })
  const look = presence.look(() => asked)
  t.notOk(presence.join(bob), 'the look will tell')
  t.notOk(presence.leave(ada))
  answer([ada])
  await look
  t.equal(users(presence), 'bob 1', 'ada was there when it looked, and has left')
})

t.test('each join and each leave is news once', async (t) => {
  const presence = new Presence()
  await presence.look(async () => [ada])
  t.notOk(presence.join(ada))
  t.ok(presence.join(bob))
  t.ok(presence.join({ ...bob, client: '3' }))
  t.equal(users(presence), 'ada 1 bob 2')
  t.equal(presence.size, 3)
  t.ok(presence.leave(bob))
  t.notOk(presence.leave(bob))
  await presence.look(async () => [])
  t.equal(presence.size, 0)
})

t.test('a look in vain leaves what is heard', async (t) => {
  const presence = new Presence()
  await t.rejects(presence.look(() => Promise.reject(new Error('denied'))))
  t.ok(presence.join(ada))
  t.equal(users(presence), 'ada 1')
})
