import t from 'tap'
import { protocols } from './protocols.js'

t.test('a Centrifuge client connects, subscribes, and is then ready', async (t) => {
  const session = protocols.centrifuge({ token: 'secret', channels: ['a', 'b'] })
  t.equal(session.greeting, '{"id":1,"connect":{"token":"secret"}}')
  t.match(session.onText('{"id":1,"connect":{"client":"c1"}}'), {
    client: 'c1',
    send: '{"id":2,"subscribe":{"channel":"a"}}\n{"id":3,"subscribe":{"channel":"b"}}',
  })
  t.notOk(session.onText('{"id":2,"subscribe":{}}').ready)
  t.equal(session.onText('{"id":3,"subscribe":{}}').ready, true)
  t.equal(session.onText('{"id":5,"publish":{}}\n{"id":6,"publish":{}}').confirmed, 2)
  t.match(session.onText('{}'), { send: '{}' })
  t.equal(session.pong?.(Buffer.from('{"push":{}}\n{}')), '{}', 'a ping behind a publication')
  t.equal(session.pong?.(Buffer.from('{"push":{}}')), undefined)
})

t.test('a Centrifuge client without channels is ready when it is connected', async (t) => {
  const session = protocols.centrifuge({ channels: [] })
  t.equal(session.greeting, '{"id":1,"connect":{}}')
  t.equal(session.onText('{"id":1,"connect":{}}').ready, true)
})

t.test('an error reply throws', async (t) => {
  const session = protocols.centrifuge({ channels: [] })
  t.throws(() => session.onText('{"id":1,"error":{"code":101}}'), { message: /"code":101/ })
})

t.test('a socket.io client opens, connects, joins its rooms, and answers pings', async (t) => {
  const session = protocols.socketIo({ channels: ['a'] })
  t.same(session.onText('0{"sid":"x"}'), { send: '40' })
  t.same(session.onText('40{"sid":"y"}'), { send: '420["join",["a"]]' })
  t.same(session.onText('430[]'), { ready: true })
  t.same(session.onText('2'), { send: '3' })
  t.equal(session.publish('a', '{}', 7), '427["publish","a",{}]')
  t.same(session.onText('437[]'), { confirmed: 1 })
})
