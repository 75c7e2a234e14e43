import type { Codec, Disconnect, Unsubscribe } from '@portcullis/protocol'
import type { SubscribeOrder } from './orders.js'

/** A connection, as the hub uses it. */
export interface Member {
  readonly id: string
  /** The same as `id`, or the secret of a client that sends its commands in emulation requests. */
  readonly session: string
  readonly identity: string
  readonly subject: string
  readonly codec: Codec
  /** Sends a whole WebSocket frame, which other members may share. */
  deliver(frame: Buffer): void
  end(disconnect: Disconnect): void
  /** The node lost its lease: bytes still in the process must stay there. */
  hold(): void
  /** Subscribes the client on the server's order. Rejects when the backplane is unavailable. */
  subscribe(order: SubscribeOrder): Promise<void>
  /** Ends the subscription to a channel, if there is one, on the server's order. */
  unsubscribe(channel: string, why: Unsubscribe): void
  /** Publications of this channel were lost for good: the client has to subscribe again. */
  lost(channel: string): void
}
