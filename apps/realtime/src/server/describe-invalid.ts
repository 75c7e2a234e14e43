import type { FastifyError } from 'fastify'

type Invalid = NonNullable<FastifyError['validation']>[number]

/**
 * Returns the error for an invalid part of a request. It says in words what the schema allows, and
 * never shows a pattern or the value.
 */
export function describeInvalid(errors: readonly Invalid[], part: string): Error {
  const [error] = errors
  const path =
    error?.instancePath
      .slice(1)
      .split('/')
      .filter((name) => name !== '') ?? []
  const unknown = error?.params['additionalProperty']
  const field = [...path, ...(unknown === undefined ? [] : [String(unknown)])].join('.')
  return new Error(`${part}${field === '' ? '' : `: ${field}`} ${mismatch(error)}`)
}

function mismatch(error: Invalid | undefined): string {
  switch (error?.keyword) {
    case 'additionalProperties':
      return 'is not a known member'
    case 'required':
      return `must have the member ${error.params['missingProperty']}`
    case 'pattern':
    case 'anyOf':
      return `must be ${descriptionOf(error) ?? 'of another form'}`
    default:
      return error?.message ?? 'is not valid'
  }
}

/** Returns the description of the schema that refused the value. */
function descriptionOf(error: Invalid): string | undefined {
  const { parentSchema } = error as Invalid & {
    parentSchema?: { description?: string }
  }
  return parentSchema?.description
}
