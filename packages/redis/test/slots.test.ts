import t from 'tap'
import { partitionTag, slotCount, slotOf } from '../src/index.js'

t.test('computes the slots of Redis', async (t) => {
  t.equal(slotOf('123456789'), 0x31c3, 'the check value of the Cluster specification')
  t.equal(slotOf('{user1000}.following'), slotOf('user1000'))
})

t.test('spreads partitions evenly over the masters of a Cluster of any size', async (t) => {
  for (const count of [16, 17, 64, 256]) {
    const slots = Array.from({ length: count }, (_, index) =>
      slotOf(`{${partitionTag('portcullis', index, count)}}:x`),
    )
    for (const masters of [1, 2, 3, 4, 5, 6, 8, 16].filter((one) => one <= count)) {
      const each = Array.from({ length: masters }, () => 0)
      for (const slot of slots) {
        const master = Math.floor((slot * masters) / slotCount)
        each[master] = (each[master] ?? 0) + 1
      }
      const [max, min] = [Math.max(...each), Math.min(...each)]
      t.ok(max - min <= (count === 256 ? 3 : 1), `${count} on ${masters}: ${min} to ${max}`)
    }
  }
})

t.test('tags are short, stable and unique', async (t) => {
  const tags = Array.from({ length: 64 }, (_, index) => partitionTag('a:b', index, 64))
  t.same(
    tags,
    Array.from({ length: 64 }, (_, index) => partitionTag('a:b', index, 64)),
  )
  t.equal(new Set(tags).size, 64)
  t.ok(
    tags.every((tag, index) => new RegExp(`^a:b:${index}(\\.[0-9a-z]{1,3})?$`).test(tag)),
    tags.join(),
  )
  t.equal(partitionTag('portcullis', 0, 1), 'portcullis:0', 'a single partition needs no suffix')
})
