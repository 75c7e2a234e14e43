import { fixedToken, type SignedOut } from '@portcullis/client'
import t, { type Test } from 'tap'
import { SharedConnection } from '../src/shared-connection.js'
import type { ChannelUser } from '../src/shared-subscription.js'
import { scriptedServer } from './fixtures/scripted-socket.js'

const idle: ChannelUser = { options: {} }

function start(t: Test) {
  const server = scriptedServer()
  const connection = new SharedConnection('ws://127.0.0.1:1', {
    tokens: fixedToken('x'),
    dial: server.dial,
  })
  t.teardown(() => connection.client.disconnect())
  /** Resolves when a user of the channel is subscribed, which it stays. */
  const subscribed = (options: ChannelUser['options'] = {}) =>
    new Promise<() => void>((resolve) => {
      const remove = connection.channel('chat').add({
        options,
        onSubscribed: () => resolve(() => remove()),
      })
    })
  return { server, connection, subscribed }
}

const microtasks = () => new Promise<void>((resolve) => setImmediate(resolve))

t.test('connects when it is first held, and once while it is held again', async (t) => {
  const { server, connection } = start(t)
  t.equal(connection.state.state, 'disconnected')
  connection.hold()()
  const release = connection.hold()
  const other = connection.hold()
  await connection.client.ready()
  t.equal(server.dials(), 1)
  other()
  await microtasks()
  t.equal(connection.state.state, 'connected')
  release()
  await microtasks()
  t.equal(connection.state.state, 'disconnected')
})

t.test('knows why the user is signed out, and then does not connect again', async (t) => {
  const { server, connection } = start(t)
  const told: SignedOut[] = []
  connection.onSignedOut = (signedOut) => told.push(signedOut)
  const release = connection.hold()
  await connection.client.ready()
  const listened = new Promise<void>((resolve) =>
    connection.listen(() => connection.state.signedOut !== undefined && resolve()),
  )
  server.close(4500, 'token revoked')
  await listened
  const signedOut = { reason: 'revoked', code: 4500, message: 'token revoked' }
  t.same(connection.state, { state: 'disconnected', signedOut })
  t.same(told, [signedOut])
  release()
  connection.hold()
  t.equal(connection.state.state, 'disconnected')
  connection.client.connect()
  t.same(connection.state, { state: 'connecting' }, 'unless the application connects')
})

t.test('shares one subscription among users that come and go in one go', async (t) => {
  const { server, connection, subscribed } = start(t)
  connection.hold()
  connection.channel('chat').add(idle)()
  const removeFirst = connection.channel('chat').add(idle)
  const removeSecond = await subscribed()
  t.equal(server.sent('subscribe').length, 1)
  t.same(connection.stateOf('chat'), { state: 'subscribed' })

  removeFirst()
  await microtasks()
  t.equal(server.sent('unsubscribe').length, 0)
  removeSecond()
  const removeThird = connection.channel('chat').add(idle)
  await microtasks()
  t.equal(server.sent('unsubscribe').length, 0, 'a new user follows the last one in one go')
  removeThird()
  await microtasks()
  t.equal(server.sent('unsubscribe').length, 1)
  t.same(connection.client.subscriptions(), {}, 'nothing is left of the subscription')
  await subscribed()
  t.equal(server.sent('subscribe').length, 2)
})

t.test('passes events to every user', async (t) => {
  const { server, connection, subscribed } = start(t)
  connection.hold()
  const received: unknown[] = []
  const both = new Promise<void>((resolve) => {
    for (const name of ['first', 'second']) {
      connection.channel('chat').add({
        options: {},
        onPublication: ({ data }) => received.push([name, data]) === 2 && resolve(),
      })
    }
  })
  await subscribed()
  server.push({ channel: 'chat', pub: { data: 1, offset: 8 } })
  await both
  t.same(received, [
    ['first', 1],
    ['second', 1],
  ])
})

t.test('begins anew where it was when a user wants joins and leaves', async (t) => {
  const { server, connection, subscribed } = start(t)
  connection.hold()
  const received = new Promise<void>((resolve) => {
    connection.channel('chat').add({ options: {}, onPublication: () => resolve() })
  })
  await subscribed()
  server.push({ channel: 'chat', pub: { data: 1, offset: 8 } })
  await received
  await subscribed({ joinLeave: true })
  await microtasks()
  await subscribed({ joinLeave: true })
  await microtasks()
  t.match(server.sent('subscribe'), [
    { subscribe: { channel: 'chat' } },
    { subscribe: { channel: 'chat', join_leave: true, recover: true, offset: 8, epoch: 'e' } },
  ])
  t.equal(server.sent('subscribe').length, 2)
})

t.test('uses the options of all users, and the first one that is given', async (t) => {
  const { server, connection, subscribed } = start(t)
  connection.hold()
  connection.channel('chat').add({ options: { data: 'first' } })
  connection.channel('chat').add({ options: { data: 'second', joinLeave: true } })
  await subscribed()
  t.match(server.sent('subscribe'), [{ subscribe: { data: 'first', join_leave: true } }])
})

t.test('shows why the server has ended a subscription', async (t) => {
  const { server, connection, subscribed } = start(t)
  connection.hold()
  const ended = new Promise<void>((resolve) => {
    connection.channel('chat').add({
      options: {},
      onState: () => connection.stateOf('chat').state === 'unsubscribed' && resolve(),
    })
  })
  await subscribed()
  server.push({ channel: 'chat', unsubscribe: { code: 2001, reason: 'token revoked' } })
  await ended
  t.same(connection.stateOf('chat'), {
    state: 'unsubscribed',
    ended: { code: 2001, reason: 'token revoked' },
  })
})
