import type { FastifyInstance } from 'fastify'

/**
 * Makes a scope take JSON alone, in which `null` is the same as nothing (RFC 7592 §2.2: a client's
 * request to delete what it had).
 */
export function takeMetadata(app: FastifyInstance): void {
  app.removeContentTypeParser('text/plain')
  app.addHook('preValidation', async ({ body }) => {
    if (typeof body !== 'object' || body === null) {
      return
    }
    for (const [name, value] of Object.entries(body)) {
      if (value === null) {
        Reflect.deleteProperty(body, name)
      }
    }
  })
}
