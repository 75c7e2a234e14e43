import type { Static, TObject, TRecord } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/**
 * Reads a setting that is a JSON object. Returns a string that names the first error, without
 * values, which may be secrets.
 */
export function readJson<Schema extends TObject | TRecord>(
  schema: Schema,
  json: string,
): Static<Schema> | string {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return 'is not JSON'
  }
  if (Value.Check(schema, value)) {
    return value
  }
  const error = Value.Errors(schema, value).First()
  const at = (error?.path ?? '').slice(1).replaceAll('/', '.')
  return `${at === '' ? '' : `${at} `}${problem(error?.message ?? 'Expected object')}`
}

/** Rewords TypeBox's messages, such as `Expected integer to be less or equal to 10`. */
function problem(message: string): string {
  if (message === 'Unexpected property') {
    return 'is not a known name'
  }
  const [, type = '', bound] = /^Expected (.*?)(?: to be (.*))?$/.exec(message) ?? []
  if (bound !== undefined) {
    return `must be ${bound}`
  }
  return type === '' || type === 'union value' ? 'has a wrong type' : `must be of type ${type}`
}
