/** The WebSocket subprotocol that a client offers beside its token, and that the server selects. */
export const subprotocol = 'portcullis'

/** A browser cannot set headers on a WebSocket: the token travels as the subprotocol `bearer.<token>`. */
export const bearerSubprotocolPrefix = 'bearer.'
