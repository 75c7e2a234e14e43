import { InfoNode } from '@portcullis/contracts/server-api'
import { type ClientInfo, isCloseReason, isPublication } from '@portcullis/protocol'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import {
  DisconnectOrder,
  maxOrderBytes,
  SubscribeOrder,
  UnsubscribeOrder,
} from '../../hub/orders.js'
import type { ArrivalPosition } from '../../hub/stream.js'
import { readClientInfo } from '../presence/client-info.js'

const closed = { additionalProperties: false }
const Id = Type.String({ minLength: 1, maxLength: 64 })

/** Asks a node to describe itself in the inbox of the node `from`. */
const InfoQuestion = Type.Object({ type: Type.Literal('info'), id: Id, from: Id }, closed)

/** Maximum number of channels in one count question: question and answer stay below their bounds. */
export const maxCounted = 200

/** Asks a node how many of its clients are in each channel. */
const CountQuestion = Type.Object(
  {
    type: Type.Literal('count'),
    id: Id,
    from: Id,
    channels: Type.Array(Type.String({ maxLength: 255 }), { maxItems: maxCounted }),
  },
  closed,
)

export const ControlMessage = Type.Union([
  DisconnectOrder,
  SubscribeOrder,
  UnsubscribeOrder,
  InfoQuestion,
  CountQuestion,
])
export type ControlMessage = Static<typeof ControlMessage>

/** Answer to an info question. */
export const InfoAnswer = Type.Object(
  { type: Type.Literal('node'), id: Id, node: InfoNode },
  closed,
)
export type InfoAnswer = Static<typeof InfoAnswer>

/** Answer to a count question: the clients of the node `from` in each channel, in its order. */
const CountAnswer = Type.Object(
  {
    type: Type.Literal('counts'),
    id: Id,
    from: Id,
    counts: Type.Array(Type.Integer({ minimum: 0 }), { maxItems: maxCounted }),
  },
  closed,
)

const Answer = Type.Union([InfoAnswer, CountAnswer])
type Answer = Static<typeof Answer>

const controlMessage = TypeCompiler.Compile(ControlMessage)
const nodeAnswer = TypeCompiler.Compile(Answer)

/** Bound of answers and presence messages, in bytes. */
const maxBytes = 4096

/** Reads a message of the control channel; returns undefined when it is malformed. */
export function readControl(message: Buffer): ControlMessage | undefined {
  const control = read(controlMessage, message, maxOrderBytes)
  const isTooLong = control?.type === 'disconnect' && !isCloseReason(control.reason)
  return isTooLong ? undefined : control
}

/** Reads a message of a node's inbox; returns undefined when it is malformed. */
export function readAnswer(message: Buffer): Answer | undefined {
  return read(nodeAnswer, message, maxBytes)
}

/** A message of a channel's Redis channel. */
export type ChannelMessage =
  | { type: 'publication'; encoded: Buffer; position: ArrivalPosition | undefined }
  | { type: 'join' | 'leave'; info: ClientInfo }

const positionHeader = /^p([1-9][0-9]{0,15}) ([A-Za-z0-9_-]{1,64})(?: (0|[1-9][0-9]{0,15}))?$/
const maxHeaderBytes = 112
const kinds = { j: 'join', l: 'leave' } as const

/** Returns the message that `readChannelMessage` reads as `kind`. */
export function presenceMessage(kind: 'join' | 'leave', info: ClientInfo): string {
  return `${kind === 'join' ? 'j' : 'l'}${JSON.stringify(info)}`
}

/**
 * Reads a message of a channel; returns undefined when it is malformed:
 *
 * - `{…}`: a publication without a position
 * - `p<offset> <epoch>[ <after>]\n{…}`: a publication of a stream; `after` is the previous offset
 *   when it is not `offset - 1`
 * - `j{…}`, `l{…}`: a client joined or left
 */
export function readChannelMessage(message: Buffer): ChannelMessage | undefined {
  const first = String.fromCharCode(message[0] ?? 0)
  if (first === 'j' || first === 'l') {
    const info = message.length > maxBytes ? undefined : readClientInfo(message.toString('utf8', 1))
    return info === undefined ? undefined : { type: kinds[first], info }
  }
  if (first !== 'p') {
    return publicationOf(message, undefined)
  }
  const end = message.subarray(0, maxHeaderBytes).indexOf(0x0a)
  const header = message.toString('latin1', 0, Math.max(0, end))
  const [, offset, epoch, after] = positionHeader.exec(header) ?? []
  if (offset === undefined || epoch === undefined) {
    return undefined
  }
  const position = { offset: Number(offset), epoch }
  return publicationOf(
    message.subarray(end + 1),
    after === undefined ? position : { ...position, after: Number(after) },
  )
}

function publicationOf(
  encoded: Buffer,
  position: ArrivalPosition | undefined,
): ChannelMessage | undefined {
  return isPublication(encoded) ? { type: 'publication', encoded, position } : undefined
}

function read<T extends TSchema>(
  check: TypeCheck<T>,
  message: Buffer,
  max: number,
): Static<T> | undefined {
  if (message.length > max) {
    return undefined
  }
  try {
    const value: unknown = JSON.parse(message.toString())
    return check.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}
