import t from 'tap'
import { application } from '../fixtures/application.js'
import { connected } from '../fixtures/dial.js'
import { next, officialClient } from '../fixtures/official-client.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

/** JSON that parsing and writing again would change. */
const texts = [
  '{"id":9223372036854775807}',
  '[1e400,1.0,-0,0.10,1E5]',
  '{"b":1,"a":2,"1":3,"a":4}',
  '{ "a" : [ 1,\t2 ] }',
  '"\\u00e9\\/\\ud800"',
  '{"__proto__":{"x":1},"constructor":{"prototype":{}}}',
  '{"b64":"AA==","data":"\\"}"}',
]

const auth = await scriptedAuth(t)
let answer = ''
const app = await application(t, () => (response) => response.end(answer))
const environment = {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  NAMESPACES: JSON.stringify({
    '': { clientPublish: true },
    s: { historySize: 100, recovery: true, clientPublish: true },
    d: { delta: true, clientPublish: true },
  }),
  HANDLERS: JSON.stringify({ rpc: { '': app.url }, send: app.url, connect: app.url }),
}
const one = await realtimeNode(t, environment)
const two = await realtimeNode(t, environment)
const scope = 'publish:* subscribe:* history:* tokens:issue'
const backend = auth.issue({ identity: 'shop', subject: 'shop', scope })

async function api(method: string, body: string): Promise<string> {
  const headers = { authorization: `Bearer ${backend}`, 'content-type': 'application/json' }
  const response = await fetch(`${one.url}/api/${method}`, { method: 'POST', headers, body })
  return response.text()
}

const client = async (subject: string, node = two) => {
  answer = '{"result":{}}'
  return connected(node.wsUrl, auth.issue({ subject, scope }))
}

/** Ways to publish a text into a channel. */
const ways: Record<string, (channel: string, text: string) => Promise<unknown>> = {
  publish: (channel, text) => api('publish', `{"channel":"${channel}","data":${text}}`),
  broadcast: (channel, text) => api('broadcast', `{"data":${text},"channels":["${channel}"]}`),
  batch: (channel, text) =>
    api('batch', `{"commands":[{"info":{}}, {"publish":{"channel":"${channel}","data":${text}}}]}`),
  b64data: (channel, text) =>
    api('publish', JSON.stringify({ channel, b64data: Buffer.from(text).toString('base64') })),
  client: async (channel, text) => {
    const peer = await client('ada', one)
    peer.socket.send(`{"id":2,"publish":{"data":0,"channel":"${channel}","data":${text}}}`)
    t.match(await peer.next(), { id: 2, publish: {} })
    peer.socket.close()
  },
}

for (const [way, publish] of Object.entries(ways)) {
  t.test(`${way}: subscribers of both forms receive the text that was published`, async (t) => {
    const json = await client('bob')
    const channel = `a-${way}`
    await json.call({ id: 2, subscribe: { channel } })
    const delta = await client('bob')
    await delta.call({ id: 2, subscribe: { channel: `d:${way}`, delta: 'fossil' } })
    const token = auth.issue({ subject: 'eve', scope })
    const protobuf = officialClient(t, two.wsUrl, () => token, { build: 'protobuf' })
    const subscription = protobuf.newSubscription(channel)
    const subscribed = next(subscription, 'subscribed')
    subscription.subscribe()
    protobuf.connect()
    await subscribed
    for (const text of texts) {
      const published = next<{ data: Uint8Array }>(subscription, 'publication')
      await publish(channel, text)
      await json.next()
      t.ok(json.frames.at(-1)?.includes(`"pub":{"data":${text}`), text)
      t.equal(Buffer.from((await published).data).toString(), text)
    }
    const [first] = texts
    await publish(`d:${way}`, String(first))
    t.match(await delta.next(), { push: { pub: { data: first } } })
  })
}

t.test('histories and recoveries have the text that was published', async (t) => {
  const channel = 's:kept'
  for (const text of texts) {
    await api('publish', `{"channel":"${channel}","data":${text}}`)
  }
  const json = await client('bob')
  const reply = await json.call({ id: 2, history: { channel, limit: -1 } })
  const epoch = String(Reflect.get(Object(reply['history']), 'epoch'))
  await json.call({ id: 3, subscribe: { channel, recover: true, offset: 0, epoch } })
  const batch = `{"commands":[{"history":{"channel":"${channel}","limit":100}}]}`
  const answers = {
    history: json.frames.at(-2),
    recovery: json.frames.at(-1),
    'server API': await api('history', `{"channel":"${channel}","limit":100}`),
    batch: await api('batch', batch),
  }
  for (const [name, text] of Object.entries(answers)) {
    for (const data of texts) {
      t.ok(text?.includes(`"data":${data}`), `${name}: ${data}`)
    }
  }
})

t.test('handlers and clients receive the text that the other sent', async (t) => {
  const json = await client('bob')
  for (const text of texts) {
    answer = `{"result":{"data":${text}}}`
    json.socket.send(`{"id":2,"rpc":{"data":${text}}}`)
    await json.next()
    t.equal(json.frames.at(-1), `{"id":2,"rpc":{"data":${text}}}`)
    t.ok(app.requests.at(-1)?.text.endsWith(`"encoding":"json","data":${text}}`), text)
  }
})

t.test('the push of a subscription has the text that the server API sent', async (t) => {
  const json = await client('eva')
  for (const [index, text] of texts.entries()) {
    await api('subscribe', `{"user":"eva","channel":"c${index}","data":${text}}`)
    await json.next()
    t.ok(json.frames.at(-1)?.includes(`"subscribe":{"data":${text}}`), text)
  }
})

t.test('line breaks between tokens become spaces', async (t) => {
  const json = await client('bob')
  await json.call({ id: 2, subscribe: { channel: 'lines' } })
  await api('publish', '{\r\n  "channel": "lines",\r\n  "data": {\r\n    "a": "\\n"\n  }\n}')
  await json.next()
  const text = '{"push":{"channel":"lines","pub":{"data":{      "a": "\\n"   }}}}'
  t.equal(json.frames.at(-1), text)
})
