import { readFileSync } from 'node:fs'
import type { Static, TObject, TProperties, TSchema } from '@sinclair/typebox'
import { type ValueError, ValueErrorType } from '@sinclair/typebox/errors'
import { Value } from '@sinclair/typebox/value'

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
  const given = settings(Object.keys(schema.properties), environment)
  const values = Value.Default(schema, fromText(schema.properties, given))
  if (Value.Check(schema, values)) {
    return values
  }
  /** The first problem of each setting. */
  const problems = new Map<string, string>()
  for (const error of Value.Errors(schema, values)) {
    const name = error.path.slice(1)
    if (!problems.has(name)) {
      problems.set(name, `${name} ${requirement(error)}`)
    }
  }
  throw new ConfigError([...problems.values()])
}

/** Converts the texts of numbers and booleans; leaves text of another form for the check to refuse. */
function fromText(
  properties: TProperties,
  given: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([name, text]) => [name, convert(properties[name], text)]),
  )
}

function convert(schema: TSchema | undefined, text: string): unknown {
  switch (schema?.['type']) {
    case 'integer': {
      const number = Number(text)
      return Number.isNaN(number) || text.trim() === '' ? text : number
    }
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    default:
      return text
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

/** Returns what a value must be: the schema's `form` says in words what its `pattern` allows. */
function requirement({ type, schema, message }: ValueError): string {
  const { minimum, maximum, minLength, maxLength, form, description } = schema
  switch (type) {
    case ValueErrorType.ObjectRequiredProperty:
      return 'is required'
    case ValueErrorType.Integer:
      return 'must be a whole number'
    case ValueErrorType.IntegerMinimum:
      return `must be at least ${minimum}`
    case ValueErrorType.IntegerMaximum:
      return `must be at most ${maximum}`
    case ValueErrorType.Boolean:
      return 'must be a boolean'
    case ValueErrorType.StringMinLength:
      return `must have at least ${minLength} characters`
    case ValueErrorType.StringMaxLength:
      return `must have at most ${maxLength} characters`
    case ValueErrorType.StringPattern:
      return `must be ${form ?? description ?? 'of another form'}`
    case ValueErrorType.Union:
      return `must be one of ${choices(schema).join(', ')}`
    default:
      return message
  }
}

/** Returns the allowed values of a union of literals. */
function choices({ anyOf = [] }: TSchema): unknown[] {
  return anyOf.map((member: TSchema) => member['const'])
}
