import t from 'tap'
import { close, connect } from '../src/index.js'

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'

t.test('sends the commands of one turn together, in order', async (t) => {
  const redis = connect({ url, onError: () => undefined })
  t.teardown(() => close(redis))
  await redis.connect()
  for (const turn of ['first', 'second']) {
    const replies = [redis.echo(`${turn} 1`), redis.echo(`${turn} 2`)]
    t.equal(redis.stream.writableCorked, 1)
    t.ok(redis.stream.writableLength > 40, 'nothing has left in this turn')
    t.same(await Promise.all(replies), [`${turn} 1`, `${turn} 2`])
    t.equal(redis.stream.writableCorked, 0)
  }
})

t.test('sends commands that precede the end of the connection', async (t) => {
  const redis = connect({ url, onError: () => undefined })
  await redis.connect()
  const reply = redis.echo('last')
  const closed = close(redis)
  t.equal(await reply, 'last')
  await closed
  t.equal(redis.status, 'end')
})
