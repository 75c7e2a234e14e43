import { ChannelName } from '@portcullis/contracts/names'
import { type TSchema, Type } from '@sinclair/typebox'
import { bodies, type Method, maxCommandId } from '../commands/commands.js'
import { ClientInfo, JsonPublication } from './publications.js'
import { results, SubscribePush } from './replies.js'

/*
 * The messages of the JSON form, each as one schema, for descriptions of the protocol. What is read and
 * written goes by the parts that they are made of.
 */

const id = Type.Integer({ minimum: 1, maximum: maxCommandId })

/** What a client sends: by the command's name, and `pong`. */
export const commandMessages: Readonly<Record<Method | 'pong', TSchema>> = {
  ...mapped(bodies, (body, method) =>
    Type.Object(method === 'send' ? { [method]: body } : { id, [method]: body }),
  ),
  pong: Type.Object({}, { additionalProperties: false }),
}

/** What answers a command, by the command's name; `error` may answer each of them. */
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

/** What the server sends by itself: into a channel, and `ping`. */
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
