export type { Codec, Encoded } from './codec/codec.js'
export { codecFor, protobufSubprotocol } from './codec/codec-for.js'
export { jsonCodec } from './codec/json-codec.js'
export { protobufCodec } from './codec/protobuf-codec.js'
export { eventStreamCodec } from './codec/streams/event-stream-codec.js'
export { jsonStreamCodec } from './codec/streams/json-stream-codec.js'
export { protobufStreamCodec } from './codec/streams/protobuf-stream-codec.js'
export type { StreamCodec } from './codec/streams/stream-codec.js'
export {
  type Disconnect,
  disconnectCodes,
  isCloseReason,
  isTerminal,
} from './codes/disconnect-codes.js'
export { type ReplyError, replyErrors } from './codes/reply-errors.js'
export { type Unsubscribe, unsubscribeCodes } from './codes/unsubscribe-codes.js'
export {
  type Command,
  type CommandBodies,
  type CommandBody,
  type Method,
  maxCommandId,
  type Request,
  type RequestMethod,
  rejectUnrecovered,
} from './commands/commands.js'
export { decodeCommands, maxCommandsPerFrame } from './commands/decode-commands.js'
export { type Emulation, readEmulation } from './emulation/read-emulation.js'
export { ProtocolError, type ProtocolErrorCode } from './errors.js'
export { fossilDelta } from './fossil-delta.js'
export { textFrame } from './frames/text-frame.js'
export { elementsOf, findMember } from './json/find-member.js'
export { JsonText, maxJsonDepth } from './json/json-text.js'
export { writeJson } from './json/write-json.js'
export { bytesOfData, type Data, dataOfBytes, jsonOfBytes, jsonOfData } from './messages/data.js'
export { commandMessages, pushMessages, replyMessages } from './messages/json-messages.js'
export {
  ClientInfo,
  decodePublication,
  encodePublication,
  encodePublicationPush,
  isPublication,
  jsonPublication,
  type Payload,
  type Publication,
  type StreamPublication,
} from './messages/publications.js'
export {
  type ConnectResult,
  encodePresencePush,
  encodeReply,
  encodeSubscribePush,
  encodeUnsubscribePush,
  type HistoryResult,
  type PresenceResult,
  type PresenceStatsResult,
  pingMessage,
  type RefreshResult,
  type ReplyBody,
  type RpcResult,
  type StreamPosition,
  type SubRefreshResult,
  type SubscribePush,
  type SubscribeResult,
} from './messages/replies.js'
export { readTagFilter, type TagFilter, type Tags } from './tag-filter/read-tag-filter.js'
