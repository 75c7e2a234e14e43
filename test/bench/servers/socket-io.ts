import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from '@portcullis/redis'
import { createAdapter } from '@socket.io/redis-adapter'
import { Server } from 'socket.io'
import { serve } from './serve.js'

/**
 * socket.io as in its documentation, with only the WebSocket transport and its Redis adapter. Its argument
 * is the URL of Redis. `POST /api/publish` and `/api/disconnect` stand for an application's own server.
 */
const onError = (error: Error) => process.stderr.write(`${error.message}\n`)
const publisher = connect({ url: process.argv[2] ?? '', role: 'subscriber', onError })
const subscriber = connect({ url: process.argv[2] ?? '', role: 'subscriber', onError })
await Promise.all([publisher.connect(), subscriber.connect()])

const http = createServer((request, response) => {
  // socket.io takes the requests of its own path before us.
  if (request.url?.startsWith('/api/')) {
    api(request, response).catch(onError)
  }
})
const io = new Server(http, {
  transports: ['websocket'],
  serveClient: false,
  adapter: createAdapter(publisher, subscriber),
})
io.on('connection', (socket) => {
  socket.on('join', async (rooms: string[], joined: () => void) => {
    await socket.join(rooms)
    joined()
  })
  socket.on('publish', (room: string, data: unknown, published: () => void) => {
    io.to(room).emit('message', data)
    published()
  })
})

async function api(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request) {
    body += chunk
  }
  const { channel, data, room } = JSON.parse(body) as Record<string, unknown>
  if (request.url === '/api/publish') {
    io.to(String(channel)).emit('message', data)
  } else {
    io.in(String(room)).disconnectSockets(true)
  }
  response.setHeader('content-type', 'application/json')
  response.end('{"result":{}}')
}

serve(http)
