import { InfoNode } from '@portcullis/contracts/server-api'
import {
  type ClientInfo,
  decodePublication,
  isCloseReason,
  type StreamPosition,
} from '@portcullis/protocol'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import {
  DisconnectOrder,
  mostOrderBytes,
  SubscribeOrder,
  UnsubscribeOrder,
} from '../../hub/orders.js'
import { readClientInfo } from '../presence/presence.js'

const closed = { additionalProperties: false }
const Id = Type.String({ minLength: 1, maxLength: 64 })

/** Tell `from`, in its inbox, about yourself. */
const InfoQuestion = Type.Object({ type: Type.Literal('info'), id: Id, from: Id }, closed)

export const ControlMessage = Type.Union([
  DisconnectOrder,
  SubscribeOrder,
  UnsubscribeOrder,
  InfoQuestion,
])
export type ControlMessage = Static<typeof ControlMessage>

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
  const control = read(controlMessage, message, mostOrderBytes)
  const isLong = control?.type === 'disconnect' && !isCloseReason(control.reason)
  return isLong ? undefined : control
}

/** Reads a message of a node's inbox; undefined when it is none of ours. */
export function readAnswer(message: Buffer): InfoAnswer | undefined {
  return read(infoAnswer, message, mostBytes)
}

/** `after` is the offset that it follows, when that is not the one before its own. */
export interface ArrivalPosition extends StreamPosition {
  after?: number
}

/** What comes over a channel's own Redis channel. */
export type ChannelMessage =
  | { type: 'publication'; encoded: Buffer; position: ArrivalPosition | undefined }
  | { type: 'join' | 'leave'; info: ClientInfo }

const positioned = /^p([1-9][0-9]{0,15}) ([A-Za-z0-9_-]{1,64})(?: (0|[1-9][0-9]{0,15}))?$/
const mostPositionBytes = 112
const kinds = { j: 'join', l: 'leave' } as const

/** As `readChannelMessage` reads it. */
export function presenceMessage(kind: 'join' | 'leave', info: ClientInfo): string {
  return `${kind === 'join' ? 'j' : 'l'}${JSON.stringify(info)}`
}

/**
 * Reads a message of a channel: `{…}` is a publication, `p<offset> <epoch>\n{…}` one of a stream, with the
 * offset that it follows behind the epoch when that is not the one before, `j{…}` and `l{…}` tell of a client that came or went. Undefined when it is none of ours.
 */
export function readChannelMessage(message: Buffer): ChannelMessage | undefined {
  const first = String.fromCharCode(message[0] ?? 0)
  if (first === 'j' || first === 'l') {
    const [info] = message.length > mostBytes ? [] : readClientInfo(message.toString('utf8', 1))
    return info === undefined ? undefined : { type: kinds[first], info }
  }
  if (first !== 'p') {
    return publicationOf(message, undefined)
  }
  const end = message.subarray(0, mostPositionBytes).indexOf(0x0a)
  const head = message.toString('latin1', 0, Math.max(0, end))
  const [, offset, epoch, after] = positioned.exec(head) ?? []
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
  if (decodePublication(encoded) === undefined) {
    return undefined
  }
  return { type: 'publication', encoded, position }
}

const mostBytes = 4096

function read<T extends TSchema>(
  check: TypeCheck<T>,
  message: Buffer,
  most: number,
): Static<T> | undefined {
  if (message.length > most) {
    return undefined
  }
  try {
    const value: unknown = JSON.parse(message.toString())
    return check.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}
