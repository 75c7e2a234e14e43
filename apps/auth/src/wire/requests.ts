import rateLimit from '@fastify/rate-limit'
import { problems } from '@portcullis/service'
import type { FastifyInstance } from 'fastify'
import { translate } from '../errors.js'
import type { Registry } from '../registry/index.js'
import { validatorCompiler } from '../routes/validate.js'

/** Sets up what every request has in common: validation, errors, caching and rate limits. */
export async function handleRequests(app: FastifyInstance, registry: Registry): Promise<void> {
  app.setValidatorCompiler(validatorCompiler)
  // Routes build their answers in the shape of the schemas, which describe and do not filter.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  app.addHook('onRequest', (_request, reply, done) => {
    // Many answers contain codes and tokens (RFC 6749 §5.1). A route whose answer may be cached says so.
    reply.header('cache-control', 'no-store')
    done()
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // A connection that is kept alive after the last answer would delay the close until its timeout.
    if (app.closing) {
      reply.header('connection', 'close')
    }
    done()
  })
  await app.register(problems, { translate })
  await app.register(rateLimit, {
    global: false,
    redis: registry.redis,
    nameSpace: registry.keys.limits,
  })
}
