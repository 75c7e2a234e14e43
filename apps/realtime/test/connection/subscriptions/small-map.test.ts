import t from 'tap'
import { SmallMap } from '../../../src/connection/subscriptions/small-map.js'

t.test('holds what a Map holds, through any order of changes', async (t) => {
  const small = new SmallMap<string, number>()
  const map = new Map<string, number>()
  const keys = ['a', 'b', 'c']
  let seed = 1
  const random = (bound: number) => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % bound
  }
  for (let step = 0; step < 500; step += 1) {
    const key = keys[random(keys.length)] ?? ''
    if (random(2) === 0) {
      small.set(key, step)
      map.set(key, step)
    } else {
      small.delete(key)
      map.delete(key)
    }
    if (small.size !== map.size || keys.some((each) => small.get(each) !== map.get(each))) {
      t.fail(`differs after step ${step}`)
      return
    }
  }
  t.same(small.entries(), [...map.entries()])
})

t.test('entries are a copy', async (t) => {
  const small = new SmallMap<string, number>()
  small.set('a', 1)
  small.set('b', 2)
  for (const [key] of small.entries()) {
    small.delete(key)
  }
  t.equal(small.size, 0)
})
