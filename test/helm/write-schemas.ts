import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { parse } from 'yaml'

const definition = Type.Object({
  'x-kubernetes-group-version-kind': Type.Optional(
    Type.Array(Type.Object({ group: Type.String(), kind: Type.String(), version: Type.String() })),
  ),
})
const specification = Type.Object({ definitions: Type.Record(Type.String(), definition) })

/**
 * Writes the JSON schema of each kind of Kubernetes into `dir`, named as kubeconform looks for them. An object
 * may have no other properties than those that its schema names.
 * @param file the OpenAPI 2 document of Kubernetes
 */
export function writeSchemas(file: string, dir: string): void {
  const document: unknown = JSON.parse(readFileSync(file, 'utf8'), strict)
  if (!Value.Check(specification, document)) {
    throw new Error(`${file} is not the OpenAPI document of Kubernetes`)
  }
  const { definitions } = document
  writeFileSync(join(dir, 'definitions.json'), JSON.stringify({ definitions }))
  for (const [name, { 'x-kubernetes-group-version-kind': kinds = [] }] of Object.entries(
    definitions,
  )) {
    for (const { group, kind, version } of kinds.length === 1 ? kinds : []) {
      const suffix = [group.split('.')[0], version].filter((part) => part !== '').join('-')
      writeFileSync(
        join(dir, `${kind.toLowerCase()}-${suffix}.json`),
        JSON.stringify({ $ref: `definitions.json#/definitions/${name}` }),
      )
    }
  }
}

const customKind = Type.Object({
  spec: Type.Object({
    group: Type.String(),
    names: Type.Object({ kind: Type.String() }),
    versions: Type.Array(
      Type.Object({
        name: Type.String(),
        schema: Type.Object({ openAPIV3Schema: Type.Unknown() }),
      }),
    ),
  }),
})

/**
 * Writes the JSON schemas of a kind that is not part of Kubernetes itself.
 * @param file its CustomResourceDefinition, in YAML
 */
export function writeSchemasOf(file: string, dir: string): void {
  const definition: unknown = parse(readFileSync(file, 'utf8'))
  if (!Value.Check(customKind, definition)) {
    throw new Error(`${file} is no CustomResourceDefinition`)
  }
  const { group, names, versions } = definition.spec
  for (const { name, schema } of versions) {
    const kind = `${names.kind.toLowerCase()}-${group.split('.')[0]}-${name}.json`
    const text = JSON.stringify(schema.openAPIV3Schema)
    writeFileSync(join(dir, kind), JSON.stringify(JSON.parse(text, strict)))
  }
}

/** Changes what OpenAPI 2 and JSON schema say differently. */
function strict(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return value
  }
  if ('format' in value && value.format === 'int-or-string') {
    return { type: ['integer', 'string'] }
  }
  if ('$ref' in value && typeof value.$ref === 'string') {
    return { $ref: value.$ref }
  }
  const isObject = 'properties' in value && 'type' in value && value.type === 'object'
  return isObject && !('additionalProperties' in value)
    ? { ...value, additionalProperties: false }
    : value
}
