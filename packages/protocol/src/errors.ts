/** Why a frame could not be decoded. */
export type ProtocolErrorCode =
  | 'empty_frame'
  | 'too_many_commands'
  | 'not_json'
  | 'not_protobuf'
  | 'not_a_command'

/**
 * A frame breaks the protocol. Its sender is closed with `disconnectCodes.badRequest`, and does not see
 * the message.
 */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode
  constructor(code: ProtocolErrorCode, message: string) {
    super(message)
    this.name = 'ProtocolError'
    this.code = code
  }
}
