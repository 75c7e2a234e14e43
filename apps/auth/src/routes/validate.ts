import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler, type ValueError } from '@sinclair/typebox/compiler'
import { Value } from '@sinclair/typebox/value'
import type { FastifySchemaCompiler } from 'fastify'

/**
 * Checks requests by their TypeBox schemas, exactly: nothing is coerced, stripped or filled in, and
 * an unknown property is an error. Query strings alone have their numbers read and their defaults
 * filled in: they have no other way to say a number.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = TypeCompiler.Compile(schema)
  return (given: unknown) => {
    const value =
      httpPart === 'querystring' ? Value.Convert(schema, Value.Default(schema, given)) : given
    if (check.Check(value)) {
      return { value }
    }
    const first = check.Errors(value).First()
    return { error: new ValidationError(httpPart ?? 'request', first) }
  }
}

/** Names the field, and what it should be; never the value, which may be a secret. */
class ValidationError extends Error {
  readonly code = 'invalid_request'
  readonly statusCode = 400
  constructor(part: string, error: ValueError | undefined) {
    const field = error?.path.slice(1).replaceAll('/', '.') ?? ''
    const where = field === '' ? (parts[part] ?? part) : `${parts[part] ?? part}: ${field}`
    super(`${where}: ${expected(error)}`)
    this.name = 'ValidationError'
  }
}

const parts: Readonly<Record<string, string>> = { querystring: 'query', params: 'path' }

function expected(error: ValueError | undefined): string {
  if (error === undefined) {
    return 'not as the API description says'
  }
  const { message } = error
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}`
}
