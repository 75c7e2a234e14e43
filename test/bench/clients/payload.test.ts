import fc from 'fast-check'
import t from 'tap'
import { countPayloads, payload } from './payload.js'

t.test('a payload is JSON of exactly the given size', async (t) => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 40, max: 2000 }), (number, bytes) => {
      const text = payload(number, bytes)
      return Buffer.byteLength(text) === bytes && JSON.parse(text).bench === number
    }),
  )
  t.throws(() => payload(1, 10), RangeError)
})

t.test('counts only the payloads in a frame', async (t) => {
  const push = (number: number) =>
    `{"push":{"channel":"bench","pub":{"data":${payload(number, 64)}}}}`
  t.equal(countPayloads(Buffer.from(push(1))), 1)
  t.equal(countPayloads(Buffer.from(`${push(1)}\n${push(2)}\n${push(3)}`)), 3)
  t.equal(countPayloads(Buffer.from('{"id":3,"publish":{}}')), 0)
  t.equal(countPayloads(Buffer.from('{}')), 0)
})
