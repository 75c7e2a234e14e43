import t from 'tap'
import { channelsOf } from '../../../src/connection/subscriptions/server-channels.js'

t.test('replaces {sub} by the subject', async (t) => {
  t.same(channelsOf(['user:{sub}', 'news', 'a:{sub}:{sub}'], 'ada'), [
    'user:ada',
    'news',
    'a:ada:ada',
  ])
  t.same(channelsOf(['{sub}', 'ada', 'news'], 'ada'), ['ada', 'news'], 'each once')
  t.same(channelsOf(['u:{sub}'], '$&'), ['u:$&'], 'replaces no patterns')
})

t.test('leaves out invalid channel names', async (t) => {
  for (const subject of ['a b', 'ä', '*', '"', 'x'.repeat(255)]) {
    t.same(channelsOf(['user:{sub}', 'news'], subject), ['news'], subject)
  }
})
