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

/** A receiver of security events as stored: JSON under its id. */
const StoredReceiver = Type.Object({
  aud,
  status,
  delivery: Type.Union([
    Type.Object({
      method: Type.Literal(pushMethod),
      endpoint_url: Type.String(),
      /** The Authorization header, in clear text or encrypted. */
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

export interface Receiver extends StoredReceiver {
  id: string
}

/**
 * Parses a receiver.
 *
 * @throws RegistryError `registry_unavailable` when it is malformed
 */
export function receiverOf(id: string, text: string): Receiver {
  let stored: unknown
  try {
    stored = JSON.parse(text)
  } catch (error) {
    throw unavailable(error)
  }
  if (!Value.Check(ReceiverId, id) || !Value.Check(StoredReceiver, stored)) {
    throw unavailable(new Error('a stored event receiver is malformed'))
  }
  return { id, ...stored }
}

export function textOf({ id: _, ...stored }: Receiver): string {
  return JSON.stringify(stored satisfies StoredReceiver)
}
