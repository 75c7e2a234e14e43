import rateLimit from '@fastify/rate-limit'
import { defined } from '@portcullis/contracts/defined'
import { gate } from '@portcullis/gate'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/config.js'
import type { Counts } from '../metrics/counts.js'
import { connectPath } from '../routes/connect/connect.js'
import { limitRefusals, type RefusalLimits } from '../routes/refusals/limit-refusals.js'

/** Registers the gate, and the limits on refused requests in front of it. @throws GateError */
export async function registerAdmission(
  app: FastifyInstance,
  config: Config,
  counts: Counts,
): Promise<RefusalLimits> {
  await app.register(rateLimit, { global: false })
  const refusals = limitRefusals(app, {
    perMinute: config.REFUSALS_PER_MINUTE,
    isGuarded: ({ routeOptions: { url } }) =>
      url === connectPath || url === '/api' || (url?.startsWith('/api/') ?? false),
    onLimited: () => {
      counts.limited.refusals += 1
    },
  })
  await app.register(gate, {
    authUrl: config.AUTH_URL,
    credentials: { identity: config.IDENTITY, registrationCode: config.REGISTRATION_CODE },
    node: config.NODE_NAME,
    tokenInQuery: config.TOKEN_IN_QUERY,
    timings: {
      admission: (ms) => counts.timings.admissions.observe(ms),
      introspection: (ms) => counts.timings.introspections.observe(ms),
    },
    tls: { ca: config.AUTH_CA, cert: config.AUTH_CERT, key: config.AUTH_KEY },
    ...defined({ url: config.PUBLIC_URL }),
  })
  return refusals
}
