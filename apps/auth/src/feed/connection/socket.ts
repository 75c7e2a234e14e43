import type { WebSocket } from 'ws'

/** A socket as the feed sees it. */
export interface FeedSocket {
  /** Bytes that wait to be sent. */
  readonly backlog: number
  /** Resolves when the bytes have left for the network, or never will. */
  send(text: string | Buffer): Promise<void>
  close(code: number, reason: string): void
  /** Cuts the connection without a goodbye. */
  terminate(): void
  /** Stops and resumes reading: what a peer sends meanwhile waits on its side. */
  setReading(reading: boolean): void
}

/** Dresses a WebSocket, and pings it: one that does not answer until the next ping is cut off. */
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
