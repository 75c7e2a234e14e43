import t from 'tap'
import {
  ackRevocations,
  awaitReceipt,
  feedEnd,
  joinNode,
  openReceiptWatch,
  revoke,
} from '../../../src/registry/index.js'
import { open } from '../fixtures/open.js'

const shop = { identity: 'shop' }
const one = { node: 'realtime-8000', instance: 'instance-one', identity: 'nodes' }
const two = { node: 'realtime-8001', instance: 'instance-two', identity: 'nodes' }
/** Longer than the test may take, so that no wait ends by time. */
const forever = 600_000

t.test('an ack through another instance ends the wait', async (t) => {
  for (const partitions of [1, 4]) {
    const { registry, another, listener } = await open(t, { partitions })
    const other = await another()
    const watch = openReceiptWatch(registry, (await listener()).listener)
    await joinNode(registry, one)
    await joinNode(registry, two)
    const { id } = await revoke(registry, { selector: { all: true } })
    let done = false
    const waiting = awaitReceipt(registry, watch, id, forever).then((receipt) => {
      done = true
      return receipt
    })
    const cursor = await feedEnd(registry)
    await ackRevocations(other, one, [{ id, connectionsClosed: 1 }], cursor)
    t.equal(done, false, 'one of two acks is not enough')
    await ackRevocations(other, two, [{ id, connectionsClosed: 2 }], cursor)
    t.match(await waiting, { complete: true, nodes: [{ state: 'acked' }, { state: 'acked' }] })
    watch.close()
  }
})

t.test('returns a complete receipt at once, and reads once without a wait', async (t) => {
  const { registry, listener } = await open(t)
  const watch = openReceiptWatch(registry, (await listener()).listener)
  const { id } = await revoke(registry, { selector: shop })
  t.match(await awaitReceipt(registry, watch, id, forever), { complete: true })
  await joinNode(registry, one)
  const next = await revoke(registry, { selector: shop })
  t.match(await awaitReceipt(registry, watch, next.id, 0), { complete: false })
  t.match(await awaitReceipt(registry, watch, next.id, 20), { complete: false })
  await t.rejects(awaitReceipt(registry, watch, `0-${'A'.repeat(22)}`, 10), {
    code: 'revocation_not_found',
  })
})

t.test('sees an ack that was published while the subscriber was away', async (t) => {
  const { registry, listener } = await open(t)
  const { listener: hearing, subscriber } = await listener()
  const watch = openReceiptWatch(registry, hearing)
  await joinNode(registry, one)
  const { id } = await revoke(registry, { selector: shop })
  const waiting = awaitReceipt(registry, watch, id, forever)
  const gone = new Promise((resolve) => subscriber.once('close', resolve))
  subscriber.disconnect()
  await gone
  await ackRevocations(registry, one, [], await feedEnd(registry))
  await subscriber.connect()
  t.match(await waiting, { complete: true })
})

t.test('closing the watch ends every wait', async (t) => {
  const { registry, listener } = await open(t)
  const watch = openReceiptWatch(registry, (await listener()).listener)
  await joinNode(registry, one)
  const { id } = await revoke(registry, { selector: shop })
  const waiting = awaitReceipt(registry, watch, id, forever)
  watch.close()
  t.match(await waiting, { complete: false })
})
