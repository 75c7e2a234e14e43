import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { protobufCodec } from '../../src/codec/protobuf-codec.js'
import { replyErrors } from '../../src/codes/reply-errors.js'
import { unsubscribeCodes } from '../../src/codes/unsubscribe-codes.js'
import { ProtocolError, type ProtocolErrorCode } from '../../src/errors.js'
import { JsonText } from '../../src/json/json-text.js'
import { encodePublication } from '../../src/messages/publications.js'
import { encodeReply, encodeSubscribePush } from '../../src/messages/replies.js'
import { officialCodec } from '../fixtures/official-codec.js'

const official = officialCodec()
const written = (...commands: object[]) => Buffer.from(official.encodeCommands(commands))
const text = (value: string) => Buffer.from(value)

/** Returns what the official client decodes from a message, with bytes as text and 64-bit numbers as numbers. */
function read(message: string | Buffer): unknown {
  return plain(official.decodeReplies(Buffer.from(message))[0])
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return Buffer.from(value).toString('latin1')
  }
  if (Array.isArray(value)) {
    return value.map(plain)
  }
  if (typeof value !== 'object' || value === null) {
    return value
  }
  if ('low' in value) {
    return Number(String(value))
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

/** Returns the pushed publication that the official client decodes, with its bytes. */
function pushed(message: string | Buffer): { data: Uint8Array } & Record<string, unknown> {
  const [reply] = official.decodeReplies(Buffer.from(message))
  const push: unknown = reply?.['push']
  return Reflect.get(Object(push), 'pub')
}

function refused(bytes: Uint8Array, maxCommands?: number): ProtocolErrorCode | 'accepted' {
  try {
    protobufCodec.decode(Buffer.from(bytes), maxCommands)
    return 'accepted'
  } catch (error) {
    if (error instanceof ProtocolError) {
      return error.code
    }
    throw error
  }
}

t.test('reads every command of the official client', async (t) => {
  const leaf = { key: 'a', cmp: 'in', vals: ['b', 'c'] }
  const tf = { op: 'and', nodes: [leaf, { op: 'not', nodes: [{ ...leaf, cmp: 'eq', val: 'd' }] }] }
  const frame = written(
    { id: 1, connect: { token: 'a', data: text('x'), name: 'js', version: '5', flag: 1 } },
    { id: 2, subscribe: { channel: 'a', recover: true, epoch: 'e', offset: 7, join_leave: true } },
    { id: 2, subscribe: { channel: 'a', delta: 'fossil', tf } },
    { id: 3, unsubscribe: { channel: 'a' } },
    { id: 4, publish: { channel: 'a', data: text('{"a":1}') } },
    { id: 5, presence: { channel: 'a' } },
    { id: 6, presence_stats: { channel: 'a' } },
    { id: 7, history: { channel: 'a', limit: -1, since: { offset: 3, epoch: 'e' } } },
    { id: 8, rpc: { method: 'm', data: text('x') } },
    { id: 9, refresh: { token: 'b' } },
    { id: 10, sub_refresh: { channel: 'a', token: 'b' } },
    { send: { data: text('x') } },
    {},
  )
  t.same(protobufCodec.decode(frame), [
    { method: 'connect', id: 1, body: { token: 'a', data: text('x'), name: 'js', version: '5' } },
    {
      method: 'subscribe',
      id: 2,
      body: { channel: 'a', recover: true, epoch: 'e', offset: 7, join_leave: true },
    },
    { method: 'subscribe', id: 2, body: { channel: 'a', delta: 'fossil', tf } },
    { method: 'unsubscribe', id: 3, body: { channel: 'a' } },
    { method: 'publish', id: 4, body: { channel: 'a', data: JsonText.of({ a: 1 }) } },
    { method: 'presence', id: 5, body: { channel: 'a' } },
    { method: 'presence_stats', id: 6, body: { channel: 'a' } },
    {
      method: 'history',
      id: 7,
      body: { channel: 'a', limit: -1, since: { offset: 3, epoch: 'e' } },
    },
    { method: 'rpc', id: 8, body: { method: 'm', data: text('x') } },
    { method: 'refresh', id: 9, body: { token: 'b' } },
    { method: 'sub_refresh', id: 10, body: { channel: 'a', token: 'b' } },
    { method: 'send', body: { data: text('x') } },
    { method: 'pong' },
  ])
})

t.test('connect and its result include channels of the server', async (t) => {
  const subs = { a: { recover: true, epoch: 'e', offset: 7 }, b: { recover: true } }
  t.same(protobufCodec.decode(written({ id: 1, connect: { subs } })), [
    { method: 'connect', id: 1, body: { subs } },
  ])
  const always = {
    client: 'c',
    version: 'v',
    expires: true,
    ttl: 1,
    ping: 1,
    pong: true,
    session: 'c',
    node: 'n',
  } as const
  const publications = [{ data: JsonText.of([1]), offset: 8 }]
  const recovered = { was_recovering: true, recovered: true, publications } as const
  const a = { recoverable: true, positioned: true, offset: 8, epoch: 'e', ...recovered } as const
  const body = { connect: { ...always, subs: { a, b: {} } } }
  t.match(read(protobufCodec.reply(1, body)), {
    id: 1,
    connect: {
      ...always,
      subs: { a: { ...a, publications: [{ data: '[1]', offset: 8 }] }, b: {} },
    },
  })
  t.same(JSON.parse(encodeReply(1, body)), {
    id: 1,
    connect: { ...always, subs: { a: { ...a, publications: [{ data: [1], offset: 8 }] }, b: {} } },
  })
})

t.test('encodes the subscribe push', async (t) => {
  const subscribed = { recoverable: true, positioned: true, offset: 3, epoch: 'e' } as const
  const bytes = protobufCodec.dataValue(JsonText.of([1]))
  t.match(read(protobufCodec.subscribePush('a', { ...subscribed, data: bytes })), {
    push: { channel: 'a', subscribe: { ...subscribed, data: '[1]' } },
  })
  t.same(JSON.parse(encodeSubscribePush('a', { ...subscribed, data: JsonText.of([1]) })), {
    push: { channel: 'a', subscribe: { ...subscribed, data: [1] } },
  })
  t.same(JSON.parse(encodeSubscribePush('a', {})), { push: { channel: 'a', subscribe: {} } })
})

t.test('returns malformed for a command with an invalid body', async (t) => {
  const wrong: [string, object][] = [
    ['subscribe', {}],
    ['subscribe', { channel: 'with space' }],
    ['subscribe', { channel: 'a', offset: 2 ** 53 }],
    ['subscribe', { channel: 'a', type: -1 }],
    ['subscribe', { channel: 'a', delta: 'xdelta' }],
    ['publish', { channel: 'star*', data: text('1') }],
    ['refresh', {}],
    ['connect', { token: 'a'.repeat(4097) }],
  ]
  for (const [method, body] of wrong) {
    t.same(
      protobufCodec.decode(written({ id: 3, [method]: body })),
      [{ method: 'malformed', id: 3, of: method }],
      `${method} with ${JSON.stringify(body).slice(0, 40)}`,
    )
  }
})

t.test('rejects a frame that breaks the protocol', async (t) => {
  const frames: [Uint8Array, ProtocolErrorCode][] = [
    [Buffer.alloc(0), 'empty_frame'],
    [Buffer.of(0x80), 'not_protobuf'],
    [Buffer.of(2, 8), 'not_protobuf'],
    [Buffer.of(0xff, 0xff, 0xff, 0xff, 0x0f, 8, 1), 'not_protobuf'],
    [Buffer.of(3, 8, 1, 0x22), 'not_protobuf'],
    [Buffer.of(4, 8, 1, 0x22, 100), 'not_protobuf'],
    [Buffer.of(2, 8, 1), 'not_a_command'],
    [written({ id: 1, ping: {} }), 'not_a_command'],
    [written({ ping: {} }), 'not_a_command'],
    [written({ connect: {} }), 'not_a_command'],
    [written({ id: 1, connect: {}, refresh: { token: 'a' } }), 'not_a_command'],
    [written({ id: 1, send: {} }), 'not_a_command'],
  ]
  for (const [frame, code] of frames) {
    t.equal(refused(frame), code, Buffer.from(frame).toString('hex'))
  }
})

t.test('decodes each command from its own bytes', async (t) => {
  const first = Buffer.of(4, 8, 1, 0x2a, 3)
  t.equal(refused(Buffer.concat([first, written({ id: 2, connect: {} })])), 'not_protobuf')
})

t.test('limits the commands of a frame', async (t) => {
  t.equal(protobufCodec.decode(Buffer.alloc(3), 3).length, 3)
  t.equal(refused(Buffer.alloc(4), 3), 'too_many_commands')
  t.equal(refused(Buffer.alloc(50_000)), 'too_many_commands')
})

/** Returns bytes after their length, a varint. */
function delimited(bytes: Buffer): Buffer {
  const length: number[] = []
  let rest = bytes.length
  for (; rest > 127; rest >>>= 7) {
    length.push((rest & 127) | 128)
  }
  return Buffer.concat([Buffer.of(...length, rest), bytes])
}

/** Returns bytes as a field of a message. `number` is below 16. */
const inField = (id: number, bytes: Buffer) =>
  Buffer.concat([Buffer.of(id * 8 + 2), delimited(bytes)])

t.test('throws only ProtocolError for arbitrary bytes', async () => {
  const nearly = fc
    .tuple(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(0x22, 0x2a, 0x3a, 0x52, 0x23))
    .map(([rest, tag]) => {
      const command = Buffer.concat([Buffer.of(8, 1, tag), rest])
      return Buffer.concat([Buffer.of(command.length), command])
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), nearly), (bytes) => {
      refused(bytes)
    }),
    { numRuns: 5000 },
  )
  // Nested filters, which the library decodes recursively.
  let filter = Buffer.alloc(0)
  for (let depth = 0; depth < 10_000; depth += 1) {
    filter = inField(6, filter)
  }
  refused(delimited(Buffer.concat([Buffer.of(8, 1), inField(5, inField(13, filter))])))
  // Nested groups, which the library skips recursively.
  const nested = Buffer.alloc(60_000, 0x0b)
  refused(Buffer.concat([Buffer.of(0xe0, 0xd4, 3), nested]))
})

t.test('the official client decodes every reply', async (t) => {
  const { reply } = protobufCodec
  const bodies = [
    {
      connect: {
        client: 'c',
        version: 'v',
        expires: true as const,
        ttl: 60,
        ping: 25,
        pong: true as const,
        session: 's',
        node: 'n',
      },
    },
    { refresh: { client: 'c', version: 'v', expires: true as const, ttl: 60 } },
    { unsubscribe: {} },
    { publish: {} },
    { presence: { presence: { c1: { user: 'ada', client: 'c1' } } } },
    { presence_stats: { num_clients: 2, num_users: 1 } },
    { sub_refresh: { expires: true as const, ttl: 3 } },
    { error: replyErrors.internal },
  ]
  for (const body of bodies) {
    t.match(read(reply(4_294_967_295, body)), { id: 4_294_967_295, ...body })
  }
  const stream = { offset: 2 ** 40, epoch: 'e' }
  const publications = [
    { data: JsonText.of({ a: 1 }), offset: 1, tags: { a: 'b' } },
    { data: Buffer.of(0xff), offset: 2, info: { user: 'ada', client: 'c' } },
  ]
  const expected = [
    { data: '{"a":1}', offset: 1, tags: { a: 'b' } },
    { data: '\xff', offset: 2, info: { user: 'ada', client: 'c' } },
  ]
  t.match(read(reply(1, { history: { ...stream, publications } })), {
    history: { ...stream, publications: expected },
  })
  const recovered = { was_recovering: true, recovered: true, recoverable: true } as const
  t.match(read(reply(1, { subscribe: { ...stream, ...recovered, publications } })), {
    subscribe: { ...stream, ...recovered, publications: expected },
  })
  t.match(read(reply(1, { subscribe: {} })), { id: 1, subscribe: {} })
})

t.test('the official client decodes every push, and the ping', async (t) => {
  const info = { user: 'ada', client: 'c1' }
  t.same(read(protobufCodec.ping), {})
  t.same(read(protobufCodec.presencePush('a', 'join', info)), {
    push: { channel: 'a', join: { info } },
  })
  t.same(read(protobufCodec.presencePush('a', 'leave', info)), {
    push: { channel: 'a', leave: { info } },
  })
  t.same(read(protobufCodec.unsubscribePush('a', unsubscribeCodes.expired)), {
    push: { channel: 'a', unsubscribe: unsubscribeCodes.expired },
  })
  const bytes = encodePublication({ data: JsonText.of('x'), info, tags: { a: 'b' } })
  const pub = pushed(protobufCodec.publicationPush('a', bytes, 7))
  t.match(plain(pub), { data: '"x"', info, tags: { a: 'b' }, offset: 7 })
})

t.test('replaces half of a surrogate pair in strings', async (t) => {
  const half = '\ud800'
  const info = { user: half, client: 'c1' }
  const messages = [
    protobufCodec.presencePush('a', 'join', info),
    protobufCodec.reply(1, { presence: { presence: { c1: info } } }),
    protobufCodec.publicationPush(
      'a',
      encodePublication({ data: JsonText.of(1), info, tags: { [half]: half } }),
    ),
  ]
  // Tags and lengths are below 128 in small messages, so the message is valid UTF-8 if its strings are.
  for (const message of messages) {
    t.ok(isUtf8(Buffer.from(message)), JSON.stringify(read(message)))
  }
})

t.test('puts several messages into a frame, each after its length', async (t) => {
  const frame = protobufCodec.frame([
    protobufCodec.reply(1, { publish: {} }),
    protobufCodec.ping,
    protobufCodec.reply(2, { publish: {} }),
  ])
  t.equal(frame[0], 0x82)
  t.equal(frame[1], frame.length - 2)
  t.equal(official.decodeReplies(frame.subarray(2)).length, 3)
})

t.test('subscribers receive exactly the published bytes', async () => {
  const payload = fc.oneof(
    fc.uint8Array(),
    fc.json().map((json) => text(json)),
    fc.json().map((json) => text(` ${json}`)),
  )
  fc.assert(
    fc.property(payload, (bytes) => {
      const [command] = protobufCodec.decode(
        written({ id: 1, publish: { channel: 'a', data: bytes } }),
      )
      if (command?.method !== 'publish') {
        return false
      }
      const { channel, data } = command.body
      const push = protobufCodec.publicationPush(channel, encodePublication({ data }))
      return Buffer.from(pushed(push).data).equals(bytes)
    }),
  )
})
