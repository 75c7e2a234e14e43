import type { WebSocket } from 'ws'
import { FeedConnection, type FeedConnectionOptions } from './feed-connection.js'
import { feedSocket } from './socket.js'

export interface ServeFeedOptions extends Omit<FeedConnectionOptions, 'socket'> {
  /** How often the node is pinged, in milliseconds. */
  pingIntervalMs: number
}

/**
 * Serves the feed on an admitted WebSocket. Runs synchronously, so that no message arrives before its
 * listener is attached.
 */
export function serveFeed(
  socket: WebSocket,
  { pingIntervalMs, ...options }: ServeFeedOptions,
): void {
  const connection = new FeedConnection({ ...options, socket: feedSocket(socket, pingIntervalMs) })
  socket.on('message', (data, isBinary) => {
    connection.onMessage(isBinary ? undefined : data.toString())
  })
  socket.on('close', () => connection.onClose())
}
