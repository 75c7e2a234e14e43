import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'

const closed = { additionalProperties: false }
const Id = Type.String({ minLength: 1, maxLength: 64 })

/** One frame of commands, in base64, for a session of the receiving node. `from` gets the answer. */
const RelayedCommands = Type.Object(
  {
    type: Type.Literal('commands'),
    id: Id,
    from: Id,
    session: Id,
    data: Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' }),
    isBinary: Type.Boolean(),
  },
  closed,
)
export type RelayedCommands = Static<typeof RelayedCommands>

/** The answer. `isTaken` is false when the node has no such session. */
const Taken = Type.Object({ type: Type.Literal('taken'), id: Id, isTaken: Type.Boolean() }, closed)

const Relayed = Type.Union([RelayedCommands, Taken])
const relayed = TypeCompiler.Compile(Relayed)

/** Reads a message that one node relays to another; returns undefined when it is malformed. */
export function readRelayed(message: Buffer): Static<typeof Relayed> | undefined {
  try {
    const value: unknown = JSON.parse(message.toString())
    return relayed.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}
