import type { TSchema } from '@sinclair/typebox'
import { type ValueError, ValueErrorType } from '@sinclair/typebox/compiler'

const descriptions: Readonly<Partial<Record<ValueErrorType, (schema: TSchema) => string>>> = {
  [ValueErrorType.ObjectRequiredProperty]: () => 'is missing',
  [ValueErrorType.ObjectAdditionalProperties]: () => 'is not a known member',
  [ValueErrorType.Object]: () => 'must be an object',
  [ValueErrorType.ObjectMinProperties]: () => 'must have a member',
  [ValueErrorType.ObjectMaxProperties]: ({ maxProperties }) =>
    `must have at most ${maxProperties} members`,
  [ValueErrorType.Array]: () => 'must be an array',
  [ValueErrorType.ArrayMinItems]: ({ minItems }) => `must have at least ${minItems} items`,
  [ValueErrorType.ArrayMaxItems]: ({ maxItems }) => `must have at most ${maxItems} items`,
  [ValueErrorType.ArrayUniqueItems]: () => 'must not repeat an item',
  [ValueErrorType.String]: () => 'must be a string',
  [ValueErrorType.StringMinLength]: ({ minLength }) => `must have at least ${minLength} characters`,
  [ValueErrorType.StringMaxLength]: ({ maxLength }) => `must have at most ${maxLength} characters`,
  [ValueErrorType.StringPattern]: ({ description }) =>
    description === undefined ? 'has a wrong form' : `must be ${description}`,
  [ValueErrorType.Boolean]: () => 'must be true or false',
  [ValueErrorType.Integer]: () => 'must be an integer',
  [ValueErrorType.IntegerMinimum]: ({ minimum, description }) =>
    `must be at least ${minimum}${inBrackets(description)}`,
  [ValueErrorType.IntegerMaximum]: ({ maximum, description }) =>
    `must be at most ${maximum}${inBrackets(description)}`,
  [ValueErrorType.Literal]: ({ const: value }) => `must be ${JSON.stringify(value)}`,
  [ValueErrorType.Union]: ({ anyOf }) => describeUnion(anyOf),
}

/** Describes what is wrong with a value, without the value, which may be a secret. */
export function describeMismatch({ type, schema }: ValueError): string {
  return descriptions[type]?.(schema) ?? 'must match the API description'
}

function inBrackets(description: string | undefined): string {
  return description === undefined ? '' : ` (${description})`
}

function describeUnion(members: readonly TSchema[]): string {
  const values = members.flatMap((member) => ('const' in member ? [String(member['const'])] : []))
  return values.length === members.length
    ? `must be one of ${values.join(', ')}`
    : 'must match the API description'
}
