import type { FastifyRequest } from 'fastify'

/**
 * Existing HTTP clients of this API send their key as `X-API-Key: <token>` or
 * `Authorization: apikey <token>`; the gate reads `Authorization: Bearer`.
 */
export async function takeApiKey({ headers }: FastifyRequest): Promise<void> {
  const key = headers['x-api-key']
  if (typeof key === 'string' && headers.authorization === undefined) {
    headers.authorization = `Bearer ${key}`
  } else if (headers.authorization !== undefined) {
    headers.authorization = headers.authorization.replace(/^apikey +/i, 'Bearer ')
  }
}
