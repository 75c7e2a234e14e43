import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { serve } from './serve.js'
import { textFrame } from './text-frame.js'

/**
 * The two possible loops of a fan-out on Node, without anything else, chosen by the argument: `send`
 * calls ws.send for each socket, `encoded` writes one prepared frame to each.
 */
const encoded = process.argv[2] === 'encoded'
const http = createServer()
const server = new WebSocketServer({ noServer: true, perMessageDeflate: false })
const sockets = new Map<{ send(text: string): void }, Duplex>()

http.on('upgrade', (request, stream, head) => {
  server.handleUpgrade(request, stream, head, (socket) => {
    sockets.set(socket, stream)
    socket.on('error', () => socket.terminate())
    socket.on('close', () => sockets.delete(socket))
    socket.on('message', (data) => publish(data.toString()))
  })
})

function publish(text: string): void {
  if (!encoded) {
    for (const socket of sockets.keys()) {
      socket.send(text)
    }
    return
  }
  const frame = textFrame(text)
  for (const stream of sockets.values()) {
    stream.write(frame)
  }
}

serve(http)
