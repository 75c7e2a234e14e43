import { readFileSync } from 'node:fs'
import type { Static, TObject, TProperties } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import { envSchema } from 'env-schema'

export type Environment = Readonly<Record<string, string | undefined>>

/** The configuration is invalid. `problems` has one line per setting to change. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`configuration: ${problems.join('; ')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/**
 * Reads a service's settings from environment variables, and validates them with `schema`. A setting
 * `NAME` may also come from the file that `NAME_FILE` names (Docker and Kubernetes secrets). An empty
 * variable counts as not set, as in a compose file.
 *
 * @throws ConfigError with the name of every missing or invalid setting, but not its value, which may be a
 * secret
 */
export function loadConfig<T extends TProperties>(
  schema: TObject<T>,
  environment: Environment,
): Static<TObject<T>> {
  const data = settings(Object.keys(schema.properties), environment)
  const ajv = new Ajv({
    allErrors: true,
    coerceTypes: 'array',
    removeAdditional: true,
    useDefaults: true,
    allowUnionTypes: true,
    strict: false,
    // Errors then include the schema, with the allowed values.
    verbose: true,
  })
  try {
    return envSchema<Static<TObject<T>>>({ schema, data, env: false, ajv })
  } catch (error) {
    const errors = (error as { errors?: ErrorObject[] }).errors
    if (errors === undefined) {
      throw error
    }
    // A union reports an error for each of its members besides its own.
    throw new ConfigError(errors.filter(({ keyword }) => keyword !== 'const').map(problem))
  }
}

function settings(names: readonly string[], environment: Environment): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of names) {
    const value = environment[name]
    const file = environment[`${name}_FILE`]
    if (value !== undefined && value !== '') {
      found[name] = value
    } else if (file !== undefined && file !== '') {
      found[name] = contents(`${name}_FILE`, file)
    }
  }
  return found
}

function contents(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new ConfigError([
      `${name} names a file that cannot be read (${(error as NodeJS.ErrnoException).code})`,
    ])
  }
}

function problem(error: ErrorObject): string {
  const missing = (error.params as { missingProperty?: string }).missingProperty
  if (missing !== undefined) {
    return `${missing} is required`
  }
  const name = error.instancePath.slice(1).split('/')[0] ?? ''
  const allowed = choices(error)
  return `${name} ${allowed === undefined ? requirement(error) : `must be one of ${allowed.join(', ')}`}`
}

/** Returns what a value must be, without ajv's phrases and patterns. */
function requirement({ keyword, params, parentSchema, message }: ErrorObject): string | undefined {
  const { limit, type } = params as { limit?: number; type?: string }
  switch (keyword) {
    case 'type':
      return type === 'integer' ? 'must be a whole number' : `must be a ${type}`
    case 'minimum':
      return `must be at least ${limit}`
    case 'maximum':
      return `must be at most ${limit}`
    case 'minLength':
      return `must have at least ${limit} characters`
    case 'maxLength':
      return `must have at most ${limit} characters`
    case 'pattern': {
      const { description } = (parentSchema ?? {}) as { description?: string }
      return description === undefined ? 'is malformed' : `is malformed; expected: ${description}`
    }
    default:
      return message
  }
}

/** Returns the allowed values of an enumeration, or of a union of literals. */
function choices({ keyword, params, schema }: ErrorObject): unknown[] | undefined {
  if (keyword === 'enum') {
    return (params as { allowedValues: unknown[] }).allowedValues
  }
  if (keyword !== 'anyOf' || !Array.isArray(schema)) {
    return undefined
  }
  const literals = schema.map((member: { const?: unknown }) => member.const)
  return literals.includes(undefined) ? undefined : literals
}
