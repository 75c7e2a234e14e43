import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { serve } from './serve.js'

/** The libraries of realtime without Portcullis: every upgrade is accepted. */
const app = Fastify({ logger: { level: 'warn' } })
await app.register(websocket, { options: { maxPayload: 65_536, perMessageDeflate: false } })
app.get('/connection/websocket', { websocket: true }, (socket) => {
  // An 'error' event without a listener would end the process.
  socket.on('error', () => socket.terminate())
})
await app.ready()
serve(app.server)
