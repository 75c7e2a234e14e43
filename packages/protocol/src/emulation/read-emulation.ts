import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { readProtobuf } from '../codec/protobuf-codec.js'
import { EmulationMessage } from '../codec/protobuf-messages.js'

const Id = Type.String({ minLength: 1, maxLength: 64 })

const JsonEmulation = Type.Object({ session: Id, node: Id, data: Type.String() })
const ProtobufEmulation = Type.Object({ session: Id, node: Id, data: Type.Uint8Array() })

const jsonEmulation = TypeCompiler.Compile(JsonEmulation)
const protobufEmulation = TypeCompiler.Compile(ProtobufEmulation)

/** Commands of a client that receives over an HTTP stream, and sends each frame in a request of its own. */
export interface Emulation {
  /** The session and the node of the reply to `connect`. */
  readonly session: string
  readonly node: string
  /** One frame of commands, as in a WebSocket message. */
  readonly data: Buffer
  /** True for the Protobuf form. */
  readonly isBinary: boolean
}

/** Reads the body of an emulation request; returns undefined when it is malformed. */
export function readEmulation(body: Buffer, isBinary: boolean): Emulation | undefined {
  const read = isBinary ? readBinary(body) : readJson(body)
  return read && { session: read.session, node: read.node, data: Buffer.from(read.data), isBinary }
}

function readJson(body: Buffer): Static<typeof JsonEmulation> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString())
    return jsonEmulation.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}

function readBinary(body: Buffer): Static<typeof ProtobufEmulation> | undefined {
  try {
    const value: unknown = readProtobuf(() =>
      EmulationMessage.toObject(EmulationMessage.decode(body)),
    )
    return protobufEmulation.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}
