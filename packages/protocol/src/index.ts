export {
  type Command,
  type CommandBody,
  type Method,
  maxCommandId,
  type Request,
} from './commands.js'
export { decodeCommands, maxCommandsPerFrame } from './decode-commands.js'
export { type Disconnect, disconnectCodes, isTerminal } from './disconnect-codes.js'
export { ProtocolError, type ProtocolErrorCode } from './errors.js'
export { encodePublication, isPublication, Publication } from './publications.js'
export {
  type ConnectResult,
  encodeReply,
  encodeUnsubscribePush,
  pingMessage,
  type RefreshResult,
  type ReplyBody,
} from './replies.js'
export { type ReplyError, replyErrors } from './reply-errors.js'
export { textFrame } from './text-frame.js'
export { type Unsubscribe, unsubscribeCodes } from './unsubscribe-codes.js'
