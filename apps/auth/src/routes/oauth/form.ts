import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import { AuthError } from '../../errors.js'

/** More than any grant has; unknown ones are ignored, not kept. */
const maxParameters = 64

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
  let count = 0
  for (const [name, value] of new URLSearchParams(text)) {
    count += 1
    if (count > maxParameters) {
      throw new AuthError('invalid_request', `a form has ${maxParameters} parameters at most`)
    }
    const before = form[name]
    form[name] = before === undefined ? value : [before, value].flat()
  }
  for (const [name, value] of Object.entries(form)) {
    if (value === '') {
      delete form[name]
    }
  }
  return form
}
