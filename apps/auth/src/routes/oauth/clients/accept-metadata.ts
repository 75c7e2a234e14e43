import type { FastifyInstance } from 'fastify'

/** Makes a scope accept only JSON, and removes members that are `null` (RFC 7592 §2.2). */
export function acceptMetadata(app: FastifyInstance): void {
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
