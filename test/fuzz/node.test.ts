import { startInstallation } from '@portcullis/local'
import fc from 'fast-check'
import t from 'tap'
import { inspectorOption, inspectorUrl, memoryAfterGc } from '../bench/measure/inspector.js'
import { corpus } from './corpus.js'
import { jsonMessage } from './json-messages.js'
import { type Form, FuzzPeer } from './peer.js'
import { protobufMessage } from './protobuf-messages.js'
import { runs } from './runs.js'

// socket.io CVE-2024-38355, CVE-2022-41940, CVE-2023-32695; NATS CVE-2026-27889: one frame ended the
// process. Here a real node gets every command, and many invalid messages.

const namespaces = {
  s: { historySize: 10, historyTtlSeconds: 60, recovery: true, presence: true, joinLeave: true },
  b: { presence: true, clientPublish: false },
}
const { realtime, userToken } = await startInstallation(t, {
  realtime: 1,
  env: { NODE_OPTIONS: inspectorOption, NAMESPACES: JSON.stringify(namespaces) },
})
const [node] = realtime
const { pid } = node
const scope = 'subscribe:* publish:* history:* presence:*'
const { access_token: token } = await userToken('fuzz', scope)
const { access_token: other } = await userToken('bystander', scope)
const bystander = await FuzzPeer.open(node.wsUrl, other, 'json')
t.teardown(() => bystander.disconnect())

const forms: Readonly<Record<Form, fc.Arbitrary<Buffer>>> = {
  json: jsonMessage,
  protobuf: protobufMessage,
}
const open = (form: Form) => FuzzPeer.open(node.wsUrl, token, form)

/** Checks that the process runs, keeps no state of closed peers, and still serves another client. */
async function unharmed(): Promise<void> {
  await bystander.send([Buffer.from('{"id":2,"publish":{"channel":"other","data":1}}')])
  if (bystander.closed !== undefined) {
    throw new Error(`the bystander: ${bystander.closed}`)
  }
  if (node.pid !== pid) {
    throw new Error('the process has ended')
  }
  for (;;) {
    const metrics = await (await fetch(`${node.url}/metrics`)).text()
    const value = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(metrics)?.[1])
    if (
      value('portcullis_realtime_connections') === 1 &&
      value('portcullis_realtime_subscriptions') === 0
    ) {
      return
    }
  }
}

for (const form of ['json', 'protobuf'] as const) {
  t.test(
    `each ${form} input of the corpus is answered, or the socket closed with a code`,
    async (t) => {
      for (const { name, bytes } of corpus(form)) {
        const peer = await open(form)
        await peer.send([bytes]).catch((error) => t.fail(`${name}: ${error}`))
        peer.disconnect()
      }
      await unharmed()
    },
  )

  t.test(`random ${form} messages are answered, or the socket closed with a code`, async (t) => {
    const play = async (count: number) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(forms[form], { minLength: 1, maxLength: 6 }),
          fc.constantFrom(true, true, true, true, true, true, true, false),
          async (messages, inItsForm) => {
            const peer = await open(form)
            await peer.send(messages, (form === 'protobuf') === inItsForm)
            peer.disconnect()
          },
        ),
        { numRuns: count, endOnFailure: count > 1000 },
      )
      await unharmed()
    }
    const count = runs(100)
    // A first round allocates what stays: compiled code and caches.
    await play(Math.ceil(count / 2))
    const inspector = inspectorUrl(node.output())
    const before = await memoryAfterGc(inspector)
    await play(count)
    const after = await memoryAfterGc(inspector)
    const grown = after.heap - before.heap
    t.ok(grown < 4_000_000, `the heap has grown by ${grown} bytes`)
  })
}
