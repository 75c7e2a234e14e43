import type { TSchema } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler, type ValueError } from '@sinclair/typebox/compiler'
import { Value } from '@sinclair/typebox/value'
import type { FastifySchemaCompiler } from 'fastify'
import { describeMismatch } from './describe-mismatch.js'

/**
 * Validates requests by their TypeBox schemas, without coercion, defaults or removal of unknown
 * properties. Only in query strings, which have no numbers, text is converted and defaults are set.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  // At the first request: compiling all schemas would be a tenth of a start.
  let check: TypeCheck<TSchema> | undefined
  return (given: unknown) => {
    check ??= TypeCompiler.Compile(schema)
    const value =
      httpPart === 'querystring' ? Value.Convert(schema, Value.Default(schema, given)) : given
    if (check.Check(value)) {
      return { value }
    }
    const first = check.Errors(value).First()
    return { error: new ValidationError(httpPart ?? 'request', first) }
  }
}

/** Names the field and describes the mismatch, without the value, which may be a secret. */
class ValidationError extends Error {
  readonly code = 'invalid_request'
  readonly statusCode = 400
  constructor(part: string, error: ValueError | undefined) {
    const place = parts[part] ?? part
    const field = error?.path.slice(1).replaceAll('/', '.') ?? ''
    const where = field === '' ? place : `${place}: ${field}`
    const mismatch = error === undefined ? 'is not valid' : describeMismatch(error)
    super(`${where} ${mismatch}`)
    this.name = 'ValidationError'
  }
}

const parts: Readonly<Record<string, string>> = { querystring: 'query', params: 'path' }
