import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { serve } from './serve.js'

/** What realtime is built on, with nothing of ours: any upgrade is accepted. */
const app = Fastify({ logger: { level: 'warn' } })
await app.register(websocket, { options: { maxPayload: 65_536, perMessageDeflate: false } })
app.get('/connection/websocket', { websocket: true }, (socket) => {
  // As any real handler would: an unheard error would end the process.
  socket.on('error', () => socket.terminate())
})
await app.ready()
serve(app.server)
