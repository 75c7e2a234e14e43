import t from 'tap'
import { DeliverySampler } from '../../src/metrics/delivery-sampler.js'

t.test('measures a publication from its entry to its delivery', async (t) => {
  const measured: number[] = []
  const sampler = new DeliverySampler((ms) => measured.push(ms))
  sampler.delivered('news', Buffer.from('of another node'))
  sampler.entered('news', Buffer.from('first'))
  sampler.entered('news', Buffer.from('second'))
  sampler.delivered('other', Buffer.from('first'))
  sampler.delivered('news', Buffer.from('of another node'))
  sampler.delivered('news', Buffer.from('second'))
  t.same(measured, [], 'one at a time')
  sampler.delivered('news', Buffer.from('first'))
  t.equal(measured.length, 1)
  sampler.delivered('news', Buffer.from('first'))
  t.equal(measured.length, 1, 'once')
  t.ok(Number(measured[0]) >= 0)
})
