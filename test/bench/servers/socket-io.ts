import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { serve } from './serve.js'

/** socket.io as in its documentation, with only the WebSocket transport and the in-memory adapter. */
const http = createServer()
const io = new Server(http, { transports: ['websocket'], serveClient: false })
io.on('connection', (socket) => {
  socket.join('bench')
  socket.on('publish', (data: unknown) => io.to('bench').emit('message', data))
})
serve(http)
