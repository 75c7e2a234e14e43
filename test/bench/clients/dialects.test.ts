import t from 'tap'
import { dialects, listed } from './dialects.js'

t.test('a Centrifuge client is ready with the reply to its last command', async (t) => {
  const { subscribed } = dialects
  t.equal(subscribed.onText('{"id":1,"connect":{}}', 0), undefined)
  t.same(subscribed.onText('{"id":2,"subscribe":{}}', 0), { ready: true })
  t.same(
    subscribed.onText('{"id":1,"connect":{}}\n{"id":2,"subscribe":{}}', 0),
    { ready: true },
    'both replies in one frame',
  )
})

t.test('a Centrifuge client answers pings and fails on an error', async (t) => {
  t.same(dialects.connected.onText('{}', 0), { send: '{}' })
  t.throws(() => dialects.connected.onText('{"id":1,"error":{"code":103}}', 0), { message: /103/ })
})

t.test('a client with many channels is ready when all are subscribed', async (t) => {
  const client = listed([['a', 'b'], []])
  t.match(client.greeting?.(0), /connect.*\n.*"id":2,.*"a".*\n.*"id":3,.*"b"/)
  t.equal(client.onText('{"id":1,"connect":{}}\n{"id":3,"subscribe":{}}', 0), undefined)
  t.same(client.onText('{}', 0), { send: '{}' })
  t.same(client.onText('{"id":2,"subscribe":{}}', 0), { ready: true }, 'in any order')
  t.same(client.onText('{"id":1,"connect":{}}', 1), { ready: true })
})

t.test('a socket.io client opens its namespace, then answers pings', async (t) => {
  const { socketIo } = dialects
  t.same(socketIo.onText('0{"sid":"x","pingInterval":25000}'), { send: '40' })
  t.same(socketIo.onText('40{"sid":"y"}'), { ready: true })
  t.same(socketIo.onText('2'), { send: '3' })
})
