import t from 'tap'
import { unboundedParts } from '../../src/testing/unbounded-parts.js'

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })

t.test('names the parts without a maximum size', async (t) => {
  const schema = object({
    text: { type: 'string' },
    open: { type: 'string', pattern: '^a+$' },
    inside: { type: 'string', pattern: 'a' },
    long: { type: 'string', pattern: '^a{3,}$' },
    list: { type: 'array', items: { type: 'integer', minimum: 0 } },
    map: object({}, { patternProperties: { '^(.*)$': { type: 'null' } } }),
    either: { anyOf: [{ type: 'null' }, { type: 'string' }] },
    any: {},
  })
  t.same(unboundedParts(schema), [
    '.text',
    '.open',
    '.inside',
    '.long',
    '.list',
    '.list[]',
    '.map',
    '.either',
    '.any',
  ])
  t.same(unboundedParts({}), ['itself'])
})

t.test('names no bounded part', async (t) => {
  const schema = object({
    text: { type: 'string', maxLength: 3 },
    name: { type: 'string', pattern: '^[a-z*+][^\\]]{0,9}\\+(?:x|y)?$' },
    one: { const: 'x' },
    list: { type: 'array', maxItems: 2, items: { type: 'boolean' } },
    count: { type: 'integer', minimum: 0, maximum: 9 },
    map: object({}, { patternProperties: { '^a$': { type: 'null' } }, maxProperties: 1 }),
  })
  t.same(unboundedParts(schema), [])
})
