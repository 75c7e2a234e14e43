import t from 'tap'
import { codecFor, protobufSubprotocol } from '../../src/codec/codec-for.js'
import { jsonCodec } from '../../src/codec/json-codec.js'
import { protobufCodec } from '../../src/codec/protobuf-codec.js'

t.test('selects the codec by subprotocol', async (t) => {
  t.equal(codecFor(protobufSubprotocol), protobufCodec)
  t.equal(codecFor('portcullis'), jsonCodec)
  t.equal(codecFor(''), jsonCodec)
})
