import { connect } from '@portcullis/redis'
import Fastify from 'fastify'
import { serve } from './serve.js'

/**
 * The least that asking an auth service for a token costs with the libraries of Portcullis: Fastify, and one
 * script in the Redis that the argument names. It checks nothing, keeps nothing and finds every token.
 */
const redis = connect({
  url: process.argv[2] ?? '',
  onError: (error) => process.stderr.write(`${error.message}\n`),
})
await redis.connect()
const sha = await redis.script(
  'LOAD',
  `local found = {}
   for at, token in ipairs(ARGV) do
     found[at] = redis.call('HGET', 'token:' .. token, 'sub') or 'user'
   end
   return found`,
)

const app = Fastify()
app.get('/health', () => ({ status: 'ok' }))
app.post<{ Body: { tokens: string[] } }>('/introspections', async (request) => {
  const subjects = await redis.call('EVALSHA', String(sha), 0, ...request.body.tokens)
  return { results: subjects }
})
await app.ready()

serve(app.server)
