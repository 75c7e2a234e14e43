import type { onRequestHookHandler } from 'fastify'

/**
 * Moves the token of existing HTTP clients, which send `X-API-Key: <token>` or
 * `Authorization: apikey <token>`, to `Authorization: Bearer`, where the gate reads it.
 */
export const takeApiKey: onRequestHookHandler = ({ headers }, _reply, done) => {
  const key = headers['x-api-key']
  if (typeof key === 'string' && headers.authorization === undefined) {
    headers.authorization = `Bearer ${key}`
  } else if (headers.authorization !== undefined) {
    headers.authorization = headers.authorization.replace(/^apikey +/i, 'Bearer ')
  }
  done()
}
