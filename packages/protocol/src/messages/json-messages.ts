import { ChannelName } from '@portcullis/contracts/names'
import { type TSchema, Type } from '@sinclair/typebox'
import { bodies, type Method, maxCommandId } from '../commands/commands.js'
import { ClientInfo, JsonPublication } from './publications.js'
import { results, SubscribePush } from './replies.js'

/*
 * The messages of the JSON form, one schema each, for generated descriptions of the protocol. The
 * codecs use the schemas' parts instead.
 */

const id = Type.Integer({ minimum: 1, maximum: maxCommandId })

/** The messages of a client, by the name of the command, and `pong`. */
export const commandMessages: Readonly<Record<Method | 'pong', TSchema>> = {
  ...mapped(bodies, (body, method) =>
    Type.Object(method === 'send' ? { [method]: body } : { id, [method]: body }),
  ),
  pong: Type.Object({}, { additionalProperties: false }),
}

/** The replies, by the name of the command. Each command may also get `error`. */
export const replyMessages: Readonly<Record<keyof typeof results | 'error', TSchema>> = {
  ...mapped(results, (result, method) =>
    Type.Object({ id, [method]: result }, { additionalProperties: false }),
  ),
  error: Type.Object(
    {
      id,
      error: Type.Object({
        code: Type.Integer(),
        message: Type.String(),
        temporary: Type.Optional(Type.Literal(true)),
      }),
    },
    { additionalProperties: false },
  ),
}

const ended = Type.Object({ code: Type.Integer(), reason: Type.String() })

/** The messages that the server sends without a command: pushes, and `ping`. */
export const pushMessages = {
  pub: push('pub', JsonPublication),
  join: push('join', Type.Object({ info: ClientInfo })),
  leave: push('leave', Type.Object({ info: ClientInfo })),
  subscribe: push('subscribe', SubscribePush),
  unsubscribe: push('unsubscribe', ended),
  ping: Type.Object({}, { additionalProperties: false }),
}

function push(kind: string, body: TSchema) {
  return Type.Object(
    { push: Type.Object({ channel: ChannelName, [kind]: body }, { additionalProperties: false }) },
    { additionalProperties: false },
  )
}

function mapped<Name extends string>(
  schemas: Readonly<Record<Name, TSchema>>,
  change: (schema: TSchema, name: Name) => TSchema,
): Record<Name, TSchema> {
  const changed = {} as Record<Name, TSchema>
  for (const name of Object.keys(schemas) as Name[]) {
    changed[name] = change(schemas[name], name)
  }
  return changed
}
