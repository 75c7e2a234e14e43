import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import { AuthError } from '../../errors.js'

/** More than any grant has, with room for unknown parameters. */
const maxParameters = 64

/**
 * Makes a scope accept only form bodies. A repeated parameter becomes an array, which schemas allow
 * only where a standard does. A parameter without a value is treated as absent (RFC 6749 §3.2).
 */
export async function acceptForms(app: FastifyInstance): Promise<void> {
  app.removeAllContentTypeParsers()
  await app.register(formbody, { parser })
}

function parser(text: string): Record<string, string | string[]> {
  const form: Record<string, string | string[]> = Object.create(null)
  let count = 0
  for (const [name, value] of parametersOf(text)) {
    count += 1
    if (count > maxParameters) {
      throw new AuthError('invalid_request', `a form may have at most ${maxParameters} parameters`)
    }
    const previous = form[name]
    form[name] = previous === undefined ? value : [previous, value].flat()
  }
  for (const name in form) {
    if (form[name] === '') {
      delete form[name]
    }
  }
  return form
}

/** A form in which no character is encoded, as most are that carry only a token. */
const plainForm = /^[\w.~=&*-]*$/

/** Returns names and values as `URLSearchParams` does, which takes far longer for a plain form. */
function parametersOf(text: string): Iterable<[name: string, value: string]> {
  if (!plainForm.test(text)) {
    return new URLSearchParams(text)
  }
  const parameters: [string, string][] = []
  for (const pair of text.split('&')) {
    const nameEnd = pair.indexOf('=')
    if (nameEnd !== -1) {
      parameters.push([pair.slice(0, nameEnd), pair.slice(nameEnd + 1)])
    } else if (pair !== '') {
      parameters.push([pair, ''])
    }
  }
  return parameters
}
