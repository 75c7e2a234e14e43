import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { Pool } from 'undici'
import { serve } from './serve.js'

/**
 * The least that a WebSocket costs with the libraries of Portcullis: Fastify and @fastify/websocket, which
 * answer the text `hello`. With the URL of `fastify-auth` as argument, the hook before each upgrade asks it
 * about the token, all tokens of one turn of the event loop with one POST.
 */
interface Waiter {
  token: string
  resolve(subject: unknown): void
  reject(error: unknown): void
}

/** Returns the function that asks auth about a token. */
function askIn(auth: Pool): (token: string) => Promise<unknown> {
  let waiting: Waiter[] = []
  const askAll = async () => {
    const batch = waiting
    waiting = []
    try {
      const { body } = await auth.request({
        method: 'POST',
        path: '/introspections',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ tokens: batch.map(({ token }) => token) }),
      })
      const { results } = (await body.json()) as { results: unknown[] }
      for (const [at, { resolve }] of batch.entries()) {
        resolve(results[at])
      }
    } catch (error) {
      for (const { reject } of batch) {
        reject(error)
      }
    }
  }
  return (token) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ token, resolve, reject }) === 1) {
        setImmediate(askAll)
      }
    })
}

const [, , authUrl] = process.argv
const ask = authUrl === undefined ? undefined : askIn(new Pool(authUrl, { connections: 4 }))

const app = Fastify()
await app.register(websocket)
app.get(
  '/',
  {
    websocket: true,
    preValidation: async (request) => {
      await ask?.(request.headers.authorization ?? '')
    },
  },
  (socket) => {
    socket.on('error', () => socket.terminate())
    socket.on('message', () => socket.send('ok'))
  },
)
await app.ready()

serve(app.server)
