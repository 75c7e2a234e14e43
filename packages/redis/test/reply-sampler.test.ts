import t from 'tap'
import { close, connect } from '../src/index.js'
import { ReplySampler } from '../src/reply-sampler.js'

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'

t.test('measures one command at a time', async (t) => {
  const measured: number[] = []
  const sampler = new ReplySampler((ms) => measured.push(ms))
  let reply = (_value: string) => {}
  const promise = new Promise<string>((resolve) => {
    reply = resolve
  })
  sampler.sent({ promise })
  const second = Promise.resolve('second')
  sampler.sent({ promise: second })
  await second
  t.same(measured, [])
  reply('first')
  await promise
  t.equal(measured.length, 1)
  t.ok(Number(measured[0]) >= 0)
})

t.test('measures commands of a connection, also those that fail', async (t) => {
  const measured: number[] = []
  const redis = connect({ url, onError: () => undefined, onReply: (ms) => measured.push(ms) })
  t.teardown(() => close(redis))
  await redis.connect()
  await t.rejects(redis.call('no-such-command'))
  t.equal(measured.length, 1)
})
