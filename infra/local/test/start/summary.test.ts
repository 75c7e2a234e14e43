import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { checkout } from '../../src/checkout.js'
import { storyCommands, summary } from '../../src/start/summary.js'

const run = {
  auth: 'http://127.0.0.1:4000',
  realtime: ['http://127.0.0.1:8000', 'http://127.0.0.1:8001'],
  redis: 'redis://:s3cret@127.0.0.1:6379/0',
  pids: { auth: 1, realtime: [2, 3] },
  admin: { identity: 'admin', registrationCode: 'x'.repeat(43) },
}

t.test('fits 80 columns, and shows no password', async (t) => {
  const text = stripVTControlCharacters(summary(run, join(checkout, '.portcullis')))
  for (const line of text.split('\n')) {
    if (!line.includes(checkout)) {
      t.ok(line.length <= 80, `${line.length} columns: ${line}`)
    }
  }
  t.notMatch(text, 's3cret')
  for (const url of [run.auth, ...run.realtime]) {
    t.match(text, url)
  }
  t.match(text, run.admin.registrationCode)
  t.match(text, 'shared by auth and the nodes', 'for a Redis that was given')
  const redis = 'unix://:s3cret@localhost/run/redis.sock'
  const ours = summary({ ...run, redis, pids: { ...run.pids, redis: 4 } }, '/x')
  t.match(stripVTControlCharacters(ours), / \/run\/redis\.sock\n/)
  t.notMatch(ours, /s3cret|shared by/)
})

t.test('quotes a directory with a space', async (t) => {
  const [first] = storyCommands('/home/it is/x')
  t.match(first?.text, "--out '/home/it is/x/ada.token'")
})
