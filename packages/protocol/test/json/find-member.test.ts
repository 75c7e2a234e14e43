import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { elementsOf, findMember, spanOf } from '../../src/json/find-member.js'
import { jsonSource } from '../fixtures/json-source.js'

const { hasOwn } = Object

/** Returns the value at the path, as JSON.parse reads it. */
function parsedMember(json: string, path: readonly string[]): unknown {
  let value: unknown = JSON.parse(json)
  for (const key of path) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    value = isObject && hasOwn(Object(value), key) ? Reflect.get(Object(value), key) : undefined
  }
  return value
}

function foundMember(json: string, path: readonly string[]): unknown {
  const span = findMember(json, path)
  return span && JSON.parse(json.slice(span.start, span.end))
}

t.test('finds the member that JSON.parse reads', async (t) => {
  const objects: [string, string | undefined][] = [
    ['{"data":1}', '1'],
    [' {"x":"data","data" : [1, {"data":2}] } ', '[1, {"data":2}]'],
    ['{"data":1,"data":2}', '2'],
    ['{"data":1,"d\\u0061ta":2}', '2'],
    ['{"x":{"data":1}}', undefined],
    ['{"\\\\":1,"data":"a\\\\"}', '"a\\\\"'],
    ['{"data":"\\\\\\",}"}', '"\\\\\\",}"'],
    ['{"data":-1.5e+7}', '-1.5e+7'],
    ['["data"]', undefined],
    ['{}', undefined],
  ]
  for (const [json, text] of objects) {
    const span = findMember(json, ['data'])
    t.equal(span && json.slice(span.start, span.end), text, json)
  }
  t.equal(foundMember('{"a":{"data":1},"a":{}}', ['a', 'data']), undefined)
  t.equal(foundMember('{"a":{"data":1},"a":2}', ['a', 'data']), undefined)
  t.equal(foundMember('{"a":1,"a":{"data":1}}', ['a', 'data']), 1)
})

t.test('finds the same members as JSON.parse in any JSON', async (t) => {
  let found = 0
  fc.assert(
    fc.property(jsonSource, jsonSource, jsonSource, (a, b, c) => {
      const json = ` {"a":${a},"publish":{"x":${a},"data":${b},"y":${c}}, "data":${c},"z":${b}}`
      return [['data'], ['publish', 'data'], ['a', 'data'], ['a'], ['none']].every((path) => {
        const expected = parsedMember(json, path)
        found += expected === undefined ? 0 : 1
        return isDeepStrictEqual(foundMember(json, path), expected)
      })
    }),
    { numRuns: 2000 },
  )
  t.ok(found > 6000, `${found} members`)
})

t.test('measures how deep a value is nested', async (t) => {
  for (const [json, depth] of [
    ['1', 0],
    ['"[[["', 0],
    ['[]', 1],
    ['[[],{"a":[]},[]]', 3],
  ] as const) {
    t.same(spanOf(json), { start: 0, end: json.length, depth }, json)
  }
})

t.test('finds all elements of an array', async (t) => {
  fc.assert(
    fc.property(fc.array(jsonSource), (list) => {
      const json = ` [${list.join(' , ')} ]`
      return isDeepStrictEqual(
        elementsOf(json).map(({ start, end }) => json.slice(start, end)),
        list.map((each) => each.trim()),
      )
    }),
  )
  t.same(elementsOf('{"a":[1]}'), [])
  t.same(elementsOf('[ ]'), [])
})

t.test('ends for text that is no JSON', async () => {
  const broken = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.tuple(jsonSource, fc.nat()).map(([json, at]) => json.slice(0, at % (json.length + 1))),
  )
  fc.assert(
    fc.property(broken, (text) => {
      elementsOf(`[${text}`)
      try {
        findMember(`{${text}`, ['data', 'data'])
      } catch (error) {
        return error instanceof SyntaxError
      }
      return true
    }),
    { numRuns: 2000 },
  )
})
