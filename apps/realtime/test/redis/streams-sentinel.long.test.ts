import { setTimeout as delay } from 'node:timers/promises'
import { startSentinels } from '@portcullis/local'
import { encodePublication, JsonText } from '@portcullis/protocol'
import t from 'tap'
import { keys } from '../../src/broker/keys.js'
import { publish as publishInto } from '../../src/broker/streams/stream-scripts.js'
import { lossy, numbersScene } from '../fixtures/numbers.js'
import { cutOff, waitUntil } from '../fixtures/open-broker.js'

const channels = Array.from({ length: 20 }, (_, at) => `chat:${at}`)
const [first = ''] = channels

t.test('reports every loss when Sentinels elect another master under load', async (t) => {
  const sentinels = await startSentinels(t)
  const { nodes, end } = await numbersScene(t, sentinels.url, channels)
  const master = await sentinels.master()
  await master.kill()
  await sentinels.promoted(master)
  await end()
  // A silent connection may still wait for its next attempt.
  for (const node of nodes) {
    while ((await fetch(`${node.url}/ready`)).status !== 200) {
      await delay(20)
    }
  }
})

t.test('reports publications lost after delivery, only to their channel', async (t) => {
  const sentinels = await startSentinels(t)
  const { prefix, numbers, heard, publish } = await numbersScene(t, sentinels.url, channels)
  await numbers.stop()
  const last = numbers.acknowledged.get(first) ?? 0
  const [master, replica] = sentinels.servers
  if (master === undefined || replica === undefined) {
    throw new Error('expected one replica')
  }
  await cutOff(replica, master)
  await publish(first, last + 1)
  const lists = heard.map((each) => each.get(first) ?? [])
  await waitUntil(() => lists.every((list) => list.at(-1) === last + 1))
  await master.kill()
  replica.resume()
  // Published before a node could check, and must not be taken for the lost one.
  const instead = encodePublication({ data: JsonText.of({ n: last + 2 }) })
  const history = { size: 5000, ttlSeconds: 300 }
  const takeAtOnce = () =>
    publishInto(
      replica.redis,
      keys(prefix, 1),
      first,
      instead,
      { history },
      Date.now() + 60_000,
    ).catch(() => undefined)
  while ((await takeAtOnce()) === undefined) {
    await delay(1)
  }
  await waitUntil(() => lists.every((list) => list.includes('lost')))
  await publish(first, last + 3)
  await waitUntil(() => lists.every((list) => list.at(-1) === last + 3))
  for (const one of heard) {
    t.same(lossy(one), [first])
  }
})
