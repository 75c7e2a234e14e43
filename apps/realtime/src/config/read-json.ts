import type { Static, TObject, TRecord } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/**
 * Reads a setting that is a JSON object.
 *
 * @returns what is wrong with it, when something is; without its values, which may be secrets
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
  const [error] = Value.Errors(schema, value)
  return `${error?.path || 'it'}: ${error?.message ?? 'is not an object'}`
}
