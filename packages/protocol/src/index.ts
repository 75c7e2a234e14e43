export type { Codec, Encoded } from './codec/codec.js'
export { codecFor, protobufSubprotocol } from './codec/codec-for.js'
export { jsonCodec } from './codec/json-codec.js'
export { protobufCodec } from './codec/protobuf-codec.js'
export {
  type Command,
  type CommandBody,
  type Method,
  maxCommandId,
  type Request,
  rejectUnrecovered,
} from './commands.js'
export {
  bytesOfContent,
  type Content,
  contentOfBytes,
  contentOfJson,
  jsonOfContent,
  valueOfBytes,
} from './content.js'
export { decodeCommands, maxCommandsPerFrame } from './decode-commands.js'
export { type Disconnect, disconnectCodes, isCloseReason, isTerminal } from './disconnect-codes.js'
export { ProtocolError, type ProtocolErrorCode } from './errors.js'
export { fossilDelta } from './fossil-delta.js'
export { commandMessages, pushMessages, replyMessages } from './json-messages.js'
export {
  ClientInfo,
  decodePublication,
  encodePublication,
  encodePublicationPush,
  jsonPublication,
  type Payload,
  Publication,
  type StreamPublication,
} from './publications.js'
export { readTagFilter, type TagFilter, type Tags } from './read-tag-filter.js'
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
} from './replies.js'
export { type ReplyError, replyErrors } from './reply-errors.js'
export { textFrame } from './text-frame.js'
export { type Unsubscribe, unsubscribeCodes } from './unsubscribe-codes.js'
