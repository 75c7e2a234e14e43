import { createSecretKey } from 'node:crypto'
import { TokenId } from '@portcullis/contracts/names'
import { Value } from '@sinclair/typebox/value'
import fc from 'fast-check'
import t from 'tap'
import { partitionOfId } from '../../src/registry/ids.js'
import { isTokenId, newTokenId } from '../../src/tokens/token-id.js'

const secret = createSecretKey(Buffer.alloc(32, 1))
const other = createSecretKey(Buffer.alloc(32, 2))

t.test('an id matches the contract, names its partition and is never repeated', async (t) => {
  const ids = Array.from({ length: 2000 }, (_, index) => newTokenId(secret, index, 'shop'))
  t.ok(ids.every((id, index) => Value.Check(TokenId, id) && partitionOfId(id, 2000) === index))
  t.ok(ids.every((id) => isTokenId(secret, id, 'shop')))
  t.equal(new Set(ids.map((id) => id.slice(id.indexOf('-')))).size, ids.length)
})

t.test('rejects ids that were made for another identity, with another secret, or changed', (t) => {
  const id = newTokenId(secret, 0, 'shop')
  t.notOk(isTokenId(secret, id, 'shop2'))
  t.notOk(isTokenId(other, id, 'shop'))
  t.notOk(isTokenId(secret, `1${id.slice(1)}`, 'shop'), 'another partition')
  for (const odd of ['', id.slice(0, -1), `${id}A`, id.slice(0, -6), `${id.slice(0, -6)}é-----`]) {
    t.notOk(isTokenId(secret, odd, 'shop'), odd)
  }
  const property = fc.property(fc.nat(id.length - 1), fc.string({ maxLength: 2 }), (at, text) => {
    const changed = id.slice(0, at) + text + id.slice(at + 1)
    return changed === id || !isTokenId(secret, changed, 'shop')
  })
  t.doesNotThrow(() => fc.assert(property))
  t.end()
})
