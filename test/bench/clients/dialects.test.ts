import t from 'tap'
import { dialects } from './dialects.js'

t.test('a Centrifuge client is ready with the answer to its last command', async (t) => {
  const { subscribed } = dialects
  t.equal(subscribed.onText('{"id":1,"connect":{}}'), undefined)
  t.same(subscribed.onText('{"id":2,"subscribe":{}}'), { ready: true })
  t.same(
    subscribed.onText('{"id":1,"connect":{}}\n{"id":2,"subscribe":{}}'),
    { ready: true },
    'both answers in one frame',
  )
})

t.test('a Centrifuge client answers pings and fails on an error', async (t) => {
  t.same(dialects.connected.onText('{}'), { send: '{}' })
  t.throws(() => dialects.connected.onText('{"id":1,"error":{"code":103}}'), { message: /103/ })
})

t.test('a socket.io client opens its namespace, then answers pings', async (t) => {
  const { socketIo } = dialects
  t.same(socketIo.onText('0{"sid":"x","pingInterval":25000}'), { send: '40' })
  t.same(socketIo.onText('40{"sid":"y"}'), { ready: true })
  t.same(socketIo.onText('2'), { send: '3' })
})
