import { writeSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { serve } from './serve.js'
import { textFrame } from './text-frame.js'

/**
 * A server of the ws library without anything else. It answers the text `hello`, and sends any other to all
 * sockets, as the argument says: `send` calls ws.send for each, `write` makes one system call for each with
 * a prepared frame, the least that a fan-out can cost.
 */
const prepared = process.argv[2] === 'write'
const http = createServer()
const server = new WebSocketServer({ noServer: true, perMessageDeflate: false })
const sockets = new Map<{ send(text: string): void }, number>()

http.on('upgrade', (request, stream, head) => {
  server.handleUpgrade(request, stream, head, (socket) => {
    sockets.set(socket, prepared ? descriptorOf(stream) : -1)
    socket.on('error', () => socket.terminate())
    socket.on('close', () => sockets.delete(socket))
    socket.on('message', (data) => {
      const text = data.toString()
      if (text === 'hello') {
        socket.send('ok')
      } else {
        publish(text)
      }
    })
  })
})

function publish(text: string): void {
  if (!prepared) {
    for (const socket of sockets.keys()) {
      socket.send(text)
    }
    return
  }
  const frame = textFrame(text)
  for (const descriptor of sockets.values()) {
    writeSync(descriptor, frame)
  }
}

/** Returns the file descriptor of a connection, which Node does not expose. */
function descriptorOf(stream: Duplex): number {
  const handle: unknown = Reflect.get(stream, '_handle')
  const descriptor: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined
  if (typeof descriptor !== 'number' || descriptor < 0) {
    throw new Error('this Node does not show the file descriptor of a socket')
  }
  return descriptor
}

serve(http)
