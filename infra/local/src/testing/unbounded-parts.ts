/** The keywords of JSON Schema that the check reads. */
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
 * Returns the places of a schema that accept values of any size: strings, arrays and records without a
 * maximum length, numbers without a range, values of any type.
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

/** Returns true if the pattern limits the length: anchored at both ends, without unlimited repetition. */
function hasEnd(pattern: string | undefined): boolean {
  if (pattern === undefined || !/^\^.*\$$/.test(pattern)) {
    return false
  }
  const skeleton = pattern.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x')
  return !/[*+]|\{\d+,\}/.test(skeleton)
}
