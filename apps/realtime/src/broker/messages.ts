import { InfoNode, Subject } from '@portcullis/contracts'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'

const closed = { additionalProperties: false }
const Id = Type.String({ minLength: 1, maxLength: 64 })

/** Close the connections of a user, wherever they are. */
const DisconnectOrder = Type.Object(
  {
    type: Type.Literal('disconnect'),
    user: Subject,
    client: Type.Optional(Id),
    identity: Type.Optional(Type.String({ maxLength: 128 })),
    code: Type.Integer({ minimum: 3000, maximum: 4999 }),
    reason: Type.String({ maxLength: 123 }),
  },
  closed,
)

/** Tell `from`, in its inbox, about yourself. */
const InfoQuestion = Type.Object({ type: Type.Literal('info'), id: Id, from: Id }, closed)

export const ControlMessage = Type.Union([DisconnectOrder, InfoQuestion])
export type ControlMessage = Static<typeof ControlMessage>
export type DisconnectOrder = Static<typeof DisconnectOrder>

/** Answer to an info question. */
export const InfoAnswer = Type.Object(
  { type: Type.Literal('node'), id: Id, node: InfoNode },
  closed,
)
export type InfoAnswer = Static<typeof InfoAnswer>

const controlMessage = TypeCompiler.Compile(ControlMessage)
const infoAnswer = TypeCompiler.Compile(InfoAnswer)

/** Reads a message of the control channel; undefined when it is none of ours. */
export function readControl(message: Buffer): ControlMessage | undefined {
  return read(controlMessage, message)
}

/** Reads a message of a node's inbox; undefined when it is none of ours. */
export function readAnswer(message: Buffer): InfoAnswer | undefined {
  return read(infoAnswer, message)
}

const mostBytes = 4096

function read<T extends TSchema>(check: TypeCheck<T>, message: Buffer): Static<T> | undefined {
  if (message.length > mostBytes) return undefined
  try {
    const value: unknown = JSON.parse(message.toString())
    return check.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}
