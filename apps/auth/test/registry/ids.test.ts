import { TokenId } from '@portcullis/contracts/names'
import { Value } from '@sinclair/typebox/value'
import fc from 'fast-check'
import t from 'tap'
import { isEverywhere, newId, newName, partitionOf, partitionOfId } from '../../src/registry/ids.js'

t.test('the partition of an identity never changes', async (t) => {
  // Fixed values: another mapping would make existing registries unusable.
  t.equal(partitionOf('', 1 << 30), 0x811c9dc5 % (1 << 30))
  t.equal(partitionOf('foobar', 65_536), 0xbf9cf968 % 65_536)
  t.equal(partitionOf('admin', 1), 0)
})

t.test('an id names its partition, and matches the contract', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16_384 }), fc.string(), (partitions, identity) => {
      const partition = partitionOf(identity, partitions)
      const id = newId(partition)
      return (
        partition < partitions &&
        partitionOfId(id, partitions) === partition &&
        partitionOfId(id, partition) === undefined &&
        Value.Check(TokenId, id)
      )
    }),
  )
  t.ok(isEverywhere(newId('all')))
  t.notOk(isEverywhere(newId(0)))
  t.equal(partitionOfId(newId('all'), 16), undefined)
})

t.test('spreads identities over the partitions', async (t) => {
  const counts = new Map<number, number>()
  for (let i = 0; i < 16_000; i += 1) {
    const partition = partitionOf(`service-${i}`, 16)
    counts.set(partition, (counts.get(partition) ?? 0) + 1)
  }
  t.equal(counts.size, 16)
  for (const [partition, count] of counts) {
    t.ok(count > 700 && count < 1300, `partition ${partition} has ${count} of 16,000`)
  }
})

t.test('a name never starts with `-`', async (t) => {
  const names = Array.from({ length: 2000 }, () => newName(9))
  t.match(
    names,
    names.map(() => /^\w[\w-]{11}$/),
  )
  t.equal(new Set(names).size, names.length)
})
