import {
  EventReceiver,
  pollMethod,
  pushMethod,
  ReceiverId,
} from '@portcullis/contracts/event-receivers'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Sealed } from '../../keys/seal.js'
import { unavailable } from '../run.js'

const { aud, status, identities, identity, description, createdAt } = EventReceiver.properties

/** A receiver of security events as Redis keeps it, as JSON under its id. */
const StoredReceiver = Type.Object({
  aud,
  status,
  delivery: Type.Union([
    Type.Object({
      method: Type.Literal(pushMethod),
      endpoint_url: Type.String(),
      /** The Authorization header: in the clear or sealed, never both. */
      authorization: Type.Optional(Type.Union([Type.String(), Sealed])),
    }),
    Type.Object({ method: Type.Literal(pollMethod) }),
  ]),
  identities,
  identity,
  description,
  createdAt,
})
export type StoredReceiver = Static<typeof StoredReceiver>
export type StoredPush = Exclude<StoredReceiver['delivery'], { method: typeof pollMethod }>

/** A receiver under its id. */
export interface Receiver extends StoredReceiver {
  id: string
}

/** @throws RegistryError when what is stored is no receiver: someone else wrote there. */
export function receiverOf(id: string, text: string): Receiver {
  let stored: unknown
  try {
    stored = JSON.parse(text)
  } catch (error) {
    throw unavailable(error)
  }
  if (!Value.Check(ReceiverId, id) || !Value.Check(StoredReceiver, stored)) {
    throw unavailable(new Error('a stored event receiver is broken'))
  }
  return { id, ...stored }
}

export function textOf({ id: _, ...stored }: Receiver): string {
  return JSON.stringify(stored satisfies StoredReceiver)
}
