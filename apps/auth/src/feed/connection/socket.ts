import type { WebSocket } from 'ws'

/** A WebSocket as the feed uses it. */
export interface FeedSocket {
  /** Bytes that wait to be sent. */
  readonly backlog: number
  /** Resolves when the bytes have left for the network, or the socket has failed. */
  send(text: string | Buffer): Promise<void>
  close(code: number, reason: string): void
  /** Cuts the connection without a closing handshake. */
  terminate(): void
  /** Pauses and resumes reading; unread messages wait at the peer. */
  setReading(reading: boolean): void
}

/** Wraps a WebSocket, and pings it; a peer that has not answered by the next ping is cut off. */
export function feedSocket(socket: WebSocket, pingIntervalMs: number): FeedSocket {
  let answered = true
  const ping = setInterval(() => {
    if (!answered) {
      return socket.terminate()
    }
    answered = false
    // A paused socket would not read the answer.
    if (socket.isPaused) {
      answered = true
    } else {
      socket.ping()
    }
  }, pingIntervalMs)
  socket.on('pong', () => {
    answered = true
  })
  socket.on('close', () => clearInterval(ping))
  return {
    get backlog() {
      return socket.bufferedAmount
    },
    send: (text) =>
      new Promise((resolve) => {
        socket.send(text, { binary: false }, () => resolve())
      }),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    setReading: (reading) => (reading ? socket.resume() : socket.pause()),
  }
}
