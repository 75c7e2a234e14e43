import type { Codec } from './codec.js'
import { jsonCodec } from './json-codec.js'
import { protobufCodec } from './protobuf-codec.js'

/** The WebSocket subprotocol of the Protobuf form. */
export const protobufSubprotocol = 'centrifuge-protobuf'

/** Returns the codec of the subprotocol that the upgrade selected. The default is JSON. */
export function codecFor(selected: string): Codec {
  return selected === protobufSubprotocol ? protobufCodec : jsonCodec
}
