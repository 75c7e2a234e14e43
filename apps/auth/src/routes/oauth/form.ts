import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'

/**
 * Makes a scope take form bodies and nothing else. A parameter that is sent more than once becomes
 * an array, which schemas admit only where a standard does; one without a value is left out (RFC 6749
 * §3.2).
 */
export async function takeForms(app: FastifyInstance): Promise<void> {
  app.removeAllContentTypeParsers()
  await app.register(formbody, { parser })
}

function parser(text: string): Record<string, string | string[]> {
  const form: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of new URLSearchParams(text)) {
    const before = form[name]
    form[name] = before === undefined ? value : [before, value].flat()
  }
  for (const [name, value] of Object.entries(form)) if (value === '') delete form[name]
  return form
}
