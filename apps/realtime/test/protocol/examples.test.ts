import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { commandMessages, pushMessages, replyMessages } from '@portcullis/protocol'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import t, { type Test } from 'tap'
import { type Application, application, type HandlerAnswer } from '../fixtures/application.js'
import { connected, dial, type Message, type Peer } from '../fixtures/dial.js'
import { type Example, examplesOf, expectedIn, type Names, spelled } from '../fixtures/examples.js'
import { settled } from '../fixtures/memory-node.js'
import { type RealtimeNode, randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { type ScriptedAuth, scriptedAuth } from '../fixtures/scripted-auth.js'

const page = new URL('../../../../packages/protocol/PROTOCOL.md', import.meta.url)

const stream = { historySize: 100, recovery: true }
const ordinary = {
  NODE_NAME: 'realtime-8000',
  NAMESPACES: JSON.stringify({
    chat: { ...stream, presence: true, joinLeave: true },
    match: { delta: true },
    market: { tagsFilter: true },
  }),
}
/** Additional settings of the node, by the word after `example`. */
const settings: Readonly<Record<string, (app: Application) => Record<string, string>>> = {
  '': () => ({}),
  server: () => ({ SERVER_SUBSCRIPTIONS: 'news chat:{sub}' }),
  handlers: ({ url }) => ({
    HANDLERS: JSON.stringify({ subscribe: { chat: url }, publish: { chat: url } }),
  }),
  events: ({ url }) => ({ HANDLERS: JSON.stringify({ events: url }) }),
}

const maxExampleMs = 20_000
/** The scopes of the users in the examples. */
const scope = ['subscribe', 'publish', 'presence', 'history']
  .flatMap((action) => ['news', 'chat:*', 'match:*', 'market:*'].map((name) => `${action}:${name}`))
  .join(' ')

/** Returns true if a message matches the schema under its name. */
function isDescribed(message: unknown, schemas: Readonly<Record<string, TSchema>>): boolean {
  const { id: _, push, ...rest } = Object(message)
  const [name = 'pong'] = Object.keys(push ?? rest).filter((key) => key !== 'channel')
  const schema = schemas[name]
  return schema !== undefined && Value.Check(schema, message)
}

/** Runs one example. */
class Replay {
  readonly #t: Test
  readonly #auth: ScriptedAuth
  readonly #node: RealtimeNode
  readonly #app: Application
  readonly #names: Names = new Map()
  /** The other users. */
  readonly #peers = new Map<string, Peer>()
  #ids = 1
  #handlerCalls = 0
  /** Events that the application was told of and the example has not shown yet. */
  readonly #events: unknown[] = []
  #answers = settled<HandlerAnswer>()
  /** Commands that the client sends together in its first message. */
  #saying: object[] = []

  constructor(t: Test, auth: ScriptedAuth, node: RealtimeNode, app: Application) {
    this.#t = t
    this.#auth = auth
    this.#node = node
    this.#app = app
  }

  /** The answer of the application, once the example has reached it. */
  async answer(): Promise<HandlerAnswer> {
    const answers = await this.#answers.promise
    this.#answers = settled<HandlerAnswer>()
    return answers
  }

  async play({ lines }: Example): Promise<void> {
    const peer = await this.#client(lines.find((line) => line.startsWith('→')) ?? '')
    let open = true
    for (const line of lines) {
      const [arrow, ...rest] = line.split(' ')
      const said = rest.join(' ')
      if (arrow === '→') {
        const message = Object(spelled(JSON.parse(said), this.#names))
        this.#t.ok(isDescribed(message, commandMessages), `${said}: matches a command of AsyncAPI`)
        this.#saying.push(message)
        continue
      }
      this.#say(peer)
      if (arrow === '←') {
        this.#hear(await peer.next(), said)
      } else if (await this.#closed(peer, line)) {
        open = false
      } else {
        await this.#happen(line)
      }
    }
    this.#say(peer)
    if (!open) {
      return
    }
    // A message that the example does not show would arrive before this reply.
    const end = { id: 4_294_967_295, unsubscribe: { channel: 'end' } }
    peer.send(end)
    this.#t.same(await peer.next(), { id: end.id, unsubscribe: {} }, 'no other message arrives')
  }

  async #client(first: string): Promise<Peer> {
    const token = this.#auth.issue({ subject: 'ada', scope })
    if (!first.includes('"connect"')) {
      return connected(this.#node.wsUrl, token)
    }
    const peer = dial(this.#node.wsUrl, token)
    await once(peer.socket, 'open')
    return peer
  }

  #say(peer: Peer): void {
    if (this.#saying.length > 0) {
      peer.send(...this.#saying)
    }
    this.#saying = []
  }

  #hear(message: unknown, said: string): void {
    this.#compare(message, JSON.parse(said), said)
    const described = 'push' in Object(message) ? pushMessages : replyMessages
    this.#t.ok(isDescribed(message, described), `${said}: matches a reply or push of AsyncAPI`)
  }

  #compare(actual: unknown, expected: unknown, label: string): void {
    this.#t.same(actual, expectedIn(expected, actual, this.#names), label)
  }

  async #closed(peer: Peer, line: string): Promise<boolean> {
    const [, code, reason] = /^the connection is closed with (\d+) "(.*)"$/.exec(line) ?? []
    if (code === undefined) {
      return false
    }
    this.#t.same(await peer.closed, { code: Number(code), reason }, line)
    return true
  }

  /** Runs a line without an arrow: an action of another party. */
  async #happen(line: string): Promise<void> {
    for (const [sentence, act] of this.#sentences) {
      const found = sentence.exec(line)
      if (found === null) {
        continue
      }
      const [, ...parts] = found
      await act(...parts)
      return
    }
    throw new Error(`unknown action: ${line}`)
  }

  readonly #sentences: readonly [RegExp, (...parts: string[]) => Promise<unknown>][] = [
    [
      /^(\d+) publications are in (\S+), of epoch (<.+>)$/,
      async (count = '', channel, name = '') => {
        for (let data = 1; data <= Number(count); data += 1) {
          await this.#publish({ channel, data })
        }
        const position = await this.#api('history', { channel })
        this.#names.set(name, Object(position).epoch)
      },
    ],
    [
      /^the backend publishes (.+) into ([^\s,]+)(?:, tagged (.+))?$/,
      async (data = '', channel, tags) =>
        this.#publish({
          channel,
          data: JSON.parse(data),
          ...(tags === undefined ? {} : { tags: JSON.parse(tags) }),
        }),
    ],
    [
      /^the backend subscribes (\w+) to (\S+) with (.+)$/,
      async (user, channel, data = '') =>
        this.#api('subscribe', { user, channel, data: JSON.parse(data) }),
    ],
    [
      /^(\w+) publishes (.+) into (\S+)$/,
      async (user = '', data = '', channel) =>
        this.#by(user, { publish: { channel, data: JSON.parse(data) } }),
    ],
    [
      /^(\w+) subscribes to (\S+)$/,
      async (user = '', channel) => this.#by(user, { subscribe: { channel } }),
    ],
    [
      /^(\w+) unsubscribes from (\S+)$/,
      async (user = '', channel) => this.#by(user, { unsubscribe: { channel } }),
    ],
    [
      /^a token for (.+) is (<.+>)$/,
      async (permitted = '', name = '') => {
        this.#names.set(name, this.#auth.issue({ subject: 'ada', scope: permitted }))
      },
    ],
    [
      /^the application is asked (.+)$/,
      async (body = '') => {
        this.#handlerCalls += 1
        await this.#app.received(this.#handlerCalls)
        this.#compare(this.#app.requests[this.#handlerCalls - 1]?.body, JSON.parse(body), body)
      },
    ],
    [
      /^the application is told (.+)$/,
      async (said = '') => {
        this.#compare(await this.#nextEvent(), JSON.parse(said), said)
      },
    ],
    [
      /^the application answers (.+)$/,
      async (body = '') => this.#answers.resolve(JSON.parse(body)),
    ],
  ]

  async #publish(publication: object): Promise<void> {
    await this.#api('publish', publication)
  }

  async #api(method: string, body: object): Promise<unknown> {
    const backend = this.#auth.issue({ subject: 'shop', scope: `tokens:issue ${scope}` })
    const answer = Object((await this.#node.api(method, backend, body)).body)
    if (answer.result === undefined) {
      throw new Error(`${method}: ${JSON.stringify(answer)}`)
    }
    return answer.result
  }

  /** Returns the next event that the application was told of, with its time as text. */
  async #nextEvent(): Promise<unknown> {
    while (this.#events.length === 0) {
      this.#answers.resolve({})
      this.#handlerCalls += 1
      await this.#app.received(this.#handlerCalls)
      const request = this.#app.requests[this.#handlerCalls - 1]
      this.#events.push(...Object(request?.body['events']))
    }
    const event = Object(this.#events.shift())
    return { ...event, time: String(event.time) }
  }

  /** Runs a command of another user and waits for the reply. */
  async #by(user: string, command: object): Promise<Message> {
    let peer = this.#peers.get(user)
    if (peer === undefined) {
      peer = await connected(this.#node.wsUrl, this.#auth.issue({ subject: user, scope }))
      this.#peers.set(user, peer)
    }
    this.#ids += 1
    const reply = await peer.call({ id: this.#ids, ...command })
    if ('error' in reply) {
      throw new Error(`${user}: ${JSON.stringify(reply)}`)
    }
    return reply
  }
}

const auth = await scriptedAuth(t)
const examples = examplesOf(readFileSync(page, 'utf8'))
t.ok(examples.length >= 6, 'the page has examples')

for (const [at, example] of examples.entries()) {
  const { section, setting } = example
  t.test(`example ${at + 1}, under ${section}`, { timeout: maxExampleMs }, async (t) => {
    const more = settings[setting]
    if (more === undefined) {
      throw new Error(`unknown setting: ${setting}`)
    }
    const app = await application(t, () => replay.answer())
    const node = await realtimeNode(t, {
      AUTH_URL: auth.url,
      REDIS_PREFIX: randomPrefix(),
      HANDLERS: JSON.stringify({ rpc: { billing: app.url }, send: app.url }),
      ...ordinary,
      ...more(app),
    })
    const replay = new Replay(t, auth, node, app)
    await replay.play(example)
  })
}

t.test('rejects a code block that is not an example', async (t) => {
  t.throws(() => examplesOf('# A\n```\n→ {}\n```\n'), /under "A"/)
})

t.test('compares examples exactly', async (t) => {
  const names: Names = new Map()
  const same = (expected: unknown, actual: unknown) =>
    JSON.stringify(expectedIn(expected, actual, names)) === JSON.stringify(actual)
  t.ok(same({ a: '<x>', b: ['v…'], ttl: 5 }, { a: 'one', b: ['v1'], ttl: 7 }))
  t.ok(same('<x>', 'one'))
  t.notOk(same('<x>', 'two'), 'a name has one value')
  t.notOk(same('v…', 'w1'))
  t.notOk(same('v', 'v1'))
  t.notOk(same({}, { more: 1 }))
  t.notOk(same({ a: 1, b: 2 }, { a: 1 }))
  t.notOk(same({ ttl: 5 }, { ttl: 'x' }))
  t.notOk(same([1], [1, 2]))
  t.same(spelled({ a: ['<x>'] }, names), { a: ['one'] })
  t.throws(() => spelled('<y>', names), /<y>/)
})
