export { type ChannelTokenOptions, channelToken } from './channel-token.js'
export { type Client, type ClientBuild, type ConnectOptions, connect } from './connect.js'
export {
  type BrowserWebSocket,
  type Dial,
  type DialedSocket,
  dialWithSubprotocol,
  type OnRefused,
} from './dial.js'
export { TokenError, type TokenErrorCode } from './errors.js'
export type { SignedOut, SignedOutReason } from './signed-out.js'
export {
  fixedToken,
  type TokenSource,
  type TokenSourceOptions,
  tokenSource,
} from './token-source.js'
