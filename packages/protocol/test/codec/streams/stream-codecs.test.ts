import t from 'tap'
import { eventStreamCodec } from '../../../src/codec/streams/event-stream-codec.js'
import { jsonStreamCodec } from '../../../src/codec/streams/json-stream-codec.js'
import { protobufStreamCodec } from '../../../src/codec/streams/protobuf-stream-codec.js'
import { officialCodec } from '../../fixtures/official-codec.js'

const disconnect = { code: 4500, reason: 'token revoked' }

t.test('HTTP-streaming in JSON has one message per line', async (t) => {
  t.equal(
    jsonStreamCodec
      .frame(['{}', Buffer.from('{"a":1}'), jsonStreamCodec.disconnectPush(disconnect)])
      .toString(),
    '{}\n{"a":1}\n{"push":{"disconnect":{"code":4500,"reason":"token revoked"}}}\n',
  )
  t.notOk(jsonStreamCodec.binary)
})

t.test('server-sent events have one message each, and no line break in it', async (t) => {
  t.equal(
    eventStreamCodec.frame(['{}', Buffer.from('{"a":\r1}')]).toString(),
    'data: {}\n\ndata: {"a": 1}\n\n',
  )
  t.notOk(eventStreamCodec.binary)
})

t.test('HTTP-streaming in Protobuf has messages after their lengths', async (t) => {
  const frame = protobufStreamCodec.frame([
    protobufStreamCodec.ping,
    protobufStreamCodec.disconnectPush(disconnect),
  ])
  t.equal(frame[0], 0, 'the ping')
  const [reply] = officialCodec().decodeReplies(frame.subarray(1))
  t.match(reply, { push: { disconnect } })
  t.ok(protobufStreamCodec.binary)
})
