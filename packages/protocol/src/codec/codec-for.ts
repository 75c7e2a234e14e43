import type { Codec } from './codec.js'
import { jsonCodec } from './json-codec.js'
import { protobufCodec } from './protobuf-codec.js'

/** The WebSocket subprotocol with which a client asks for the Protobuf form. */
export const protobufSubprotocol = 'centrifuge-protobuf'

/** The codec of the subprotocol that the upgrade has selected: JSON unless it is the other one. */
export function codecFor(selected: string): Codec {
  return selected === protobufSubprotocol ? protobufCodec : jsonCodec
}
