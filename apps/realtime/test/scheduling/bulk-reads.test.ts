import { encodePublication, JsonText } from '@portcullis/protocol'
import t from 'tap'
import { BulkReads } from '../../src/scheduling/bulk-reads.js'
import { always } from '../fixtures/always.js'
import { oneServer, openBroker } from '../fixtures/open-broker.js'

const reader = (name: string, mayRead = () => true) => ({
  name,
  charged: 0,
  mayRead,
  chargeRead(bytes: number) {
    this.charged += bytes
  },
})

t.test('does not delay publications and other readers behind a greedy reader', async (t) => {
  const { broker } = await openBroker(t, await oneServer(t))
  const history = { size: 50, ttlSeconds: 60 }
  const large = encodePublication({ data: JsonText.of('x'.repeat(10_000)) })
  for (let n = 0; n < 50; n += 1) {
    await broker.streams.publish('a', large, always, { history })
  }
  const reads = new BulkReads({ broker, maxPublications: 1000, maxBytes: 1e6 })
  const all = { limit: -1 }
  const greedy = reader('greedy')
  let done = 0
  const many = Array.from({ length: 60 }, async () => {
    await reads.history('a', all, greedy)
    done += 1
  })
  await broker.streams.publish('b', large, always)
  t.ok(done < 20, `${done} reads finished before the publication`)
  await reads.history('a', all, reader('other'))
  t.ok(done < 40, `${done} reads finished before the other reader's`)
  await Promise.all(many)
  t.ok(greedy.charged > 60 * 50 * 10_000)
})

t.test('checks the allowance of a reader in its turn', async (t) => {
  const { broker } = await openBroker(t, await oneServer(t))
  const history = { size: 50, ttlSeconds: 60 }
  await broker.streams.publish(
    'a',
    encodePublication({ data: JsonText.of('x'.repeat(1000)) }),
    always,
    {
      history,
    },
  )
  const reads = new BulkReads({ broker, maxPublications: 1000, maxBytes: 1e6 })
  const poor = reader('poor', () => poor.charged < 5000)
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => reads.history('a', { limit: -1 }, poor)),
  )
  const refused = answers.filter((answer) => answer === 'tooManyRequests').length
  t.ok(refused >= 13, `${refused} of 20 were refused`)
  t.type(await reads.history('a', { limit: 0 }, poor), 'object', 'a position is free')
})
