/** Why a frame could not be read: `detail` is for our own log, a peer learns only the close code. */
export type ProtocolErrorCode =
  | 'empty_frame'
  | 'too_many_commands'
  | 'not_json'
  | 'not_protobuf'
  | 'not_a_command'

/** A frame is not of the protocol; its sender is closed with `disconnectCodes.badRequest`. */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode
  constructor(code: ProtocolErrorCode, detail: string) {
    super(detail)
    this.name = 'ProtocolError'
    this.code = code
  }
}
