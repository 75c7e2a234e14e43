/** What of JSON Schema it looks at. */
interface Schema {
  type?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  patternProperties?: Record<string, Schema>
  additionalProperties?: boolean | Schema
  items?: Schema
  maxLength?: number
  pattern?: string
  maxItems?: number
  maxProperties?: number
  minimum?: number
  maximum?: number
}

/**
 * The places of a schema that admit values of any size: strings, arrays and records without a greatest
 * length, numbers without a range, values of any kind.
 */
export function unboundedParts(schema: object, at = ''): string[] {
  const part = schema as Schema
  const alternatives = [part.anyOf, part.oneOf, part.allOf].flatMap((one) => one ?? [])
  if (alternatives.length > 0) {
    return alternatives.flatMap((one) => unboundedParts(one, at))
  }
  if ('const' in part || part.enum !== undefined) {
    return []
  }
  const here = at === '' ? 'itself' : at
  switch (part.type) {
    case 'string':
      return part.maxLength === undefined && !hasEnd(part.pattern) ? [here] : []
    case 'integer':
    case 'number':
      return part.minimum === undefined || part.maximum === undefined ? [here] : []
    case 'array': {
      const items = unboundedParts(part.items ?? {}, `${at}[]`)
      return part.maxItems === undefined ? [here, ...items] : items
    }
    case 'object': {
      const named = Object.entries(part.properties ?? {})
      const inside = named.flatMap(([name, one]) => unboundedParts(one, `${at}.${name}`))
      const more = Object.values(part.patternProperties ?? {})
      if (typeof part.additionalProperties === 'object') {
        more.push(part.additionalProperties)
      }
      if (more.length === 0) {
        return inside
      }
      const others = more.flatMap((one) => unboundedParts(one, `${at}.*`))
      return [...inside, ...others, ...(part.maxProperties === undefined ? [here] : [])]
    }
    case 'boolean':
    case 'null':
      return []
    default:
      return [here]
  }
}

/** Whether what matches has a greatest length: from end to end, and nothing in it repeats for ever. */
function hasEnd(pattern: string | undefined): boolean {
  if (pattern === undefined || !/^\^.*\$$/.test(pattern)) {
    return false
  }
  const skeleton = pattern.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x')
  return !/[*+]|\{\d+,\}/.test(skeleton)
}
