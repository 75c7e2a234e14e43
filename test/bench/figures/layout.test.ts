import t from 'tap'
import { channelsOf, turn } from './layout.js'

const layout = { channels: 20, each: 2, sockets: 30 }

t.test('every channel has the same number of subscribers', async (t) => {
  const counts = new Map<string, number>()
  for (const name of channelsOf(layout, 'c').flat()) {
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  t.equal(counts.size, 20)
  t.same(new Set(counts.values()), new Set([3]))
})

t.test('every channel has its turn, and channels of one socket are far apart', async (t) => {
  const turns = Array.from({ length: 20 }, (_, at) => turn(layout, at))
  t.equal(new Set(turns).size, 20)
  t.equal(turn(layout, 20), turns[0])
  const blocks = turns.slice(0, 10).map((channel) => Math.floor(channel / 2))
  t.equal(new Set(blocks).size, 10)
})
