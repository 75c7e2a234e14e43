import t from 'tap'
import { Presence } from '../../src/interactive/presence.js'

const ada = { client: '1', user: 'ada' }
const bob = { client: '2', user: 'bob' }
const users = (presence: Presence) => [...presence.users()].flat().join(' ')

t.test('events during the request override its answer', async (t) => {
  const presence = new Presence()
  let answer = (_present: (typeof ada)[]) => {}
  const asked = new Promise<(typeof ada)[]>((resolve) => {
    answer = resolve
  })
  const load = presence.load(() => asked)
  t.notOk(presence.join(bob), 'the answer of the request will be shown')
  t.notOk(presence.leave(ada))
  answer([ada])
  await load
  t.equal(users(presence), 'bob 1', 'ada left during the request')
})

t.test('each join and each leave is reported once', async (t) => {
  const presence = new Presence()
  await presence.load(async () => [ada])
  t.notOk(presence.join(ada))
  t.ok(presence.join(bob))
  t.ok(presence.join({ ...bob, client: '3' }))
  t.equal(users(presence), 'ada 1 bob 2')
  t.equal(presence.size, 3)
  t.ok(presence.leave(bob))
  t.notOk(presence.leave(bob))
  await presence.load(async () => [])
  t.equal(presence.size, 0)
})

t.test('events count also after a failed request', async (t) => {
  const presence = new Presence()
  await t.rejects(presence.load(() => Promise.reject(new Error('denied'))))
  t.ok(presence.join(ada))
  t.equal(users(presence), 'ada 1')
})
