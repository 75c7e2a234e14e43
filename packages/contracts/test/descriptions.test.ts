import { readdirSync } from 'node:fs'
import { KindGuard, type TSchema } from '@sinclair/typebox'
import t from 'tap'

const sources = new URL('../src/', import.meta.url)

t.test('a schema with a pattern says in words what it allows', async (t) => {
  const names = readdirSync(sources).filter((name) => name.endsWith('.ts'))
  let patterns = 0
  for (const name of names) {
    const exported: Record<string, unknown> = await import(
      `@portcullis/contracts/${name.slice(0, -3)}`
    )
    for (const [exportName, value] of Object.entries(exported)) {
      if (!KindGuard.IsSchema(value)) {
        continue
      }
      for (const { description } of withPattern(value)) {
        patterns += 1
        t.type(description, 'string', `${name} ${exportName}`)
      }
    }
  }
  t.ok(patterns > 10)
})

/** Returns the schemas with a pattern in a schema. */
function withPattern(schema: unknown): TSchema[] {
  if (typeof schema !== 'object' || schema === null) {
    return []
  }
  const inner = Object.values(schema).flatMap(withPattern)
  return KindGuard.IsString(schema) && schema.pattern !== undefined ? [schema, ...inner] : inner
}
