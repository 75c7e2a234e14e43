import { defined } from '@portcullis/contracts/defined'
import t, { type Test } from 'tap'
import { closing, frame, opcodes, RawSocket } from '../fixtures/raw-socket.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import {
  answered,
  type Case,
  close,
  command,
  first,
  fragments,
  last,
  more,
  ping,
  play,
  pong,
  text,
} from '../fixtures/rfc6455-case.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

// The text cases of groups 1 to 5, 7, 9 and 10 of the Autobahn testsuite; binary messages (1.2,
// 9.2) and UTF-8 (6) have separate files. Groups 12 and 13 are about compression, which is off: the
// last test here checks that it is not negotiated, and 3.1 that a compressed frame is refused. The
// pauses between frames in 5.19 are omitted: a node has no timer for frames.

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  MAX_FRAME_BYTES: '65536',
  MAX_CHANNELS: '32',
  // Prevents pings of the protocol between the expected messages.
  PING_INTERVAL_MS: '3600000',
})
const run = (t: Test, cases: readonly Case[]) => play(t, node, auth, cases)

const empty = Buffer.alloc(0)
const high = Buffer.from([0, 255, 254, 253, 252, 251, 0, 255])
const half = (id = 2): [string, string] => {
  const whole = command(id)
  return [whole.slice(0, 10), whole.slice(10)]
}
const [head, tail] = half()

t.test('1 framing', async (t) => {
  const sized = (name: string, bytes: number, chop?: number): Case => ({
    name: `${name} ${bytes} bytes`,
    send: [text(command(2, bytes))],
    expect: ['reply 2'],
    ...defined({ chop }),
  })
  await run(t, [
    // An echo server returns the empty message; the protocol has no such command.
    { name: '1.1.1 nothing', send: [text('')], expect: ['close 3501'] },
    sized('1.1.2', 125),
    sized('1.1.3', 126),
    sized('1.1.4', 127),
    sized('1.1.5', 128),
    sized('1.1.6', 65_535),
    sized('1.1.7', 65_536),
    sized('1.1.8', 65_536, 997),
  ])
})

t.test('2 pings and pongs', async (t) => {
  const ten = Array.from({ length: 10 }, (_, at) => `payload ${at}`)
  const tenPongs = ten.map((payload) => `pong ${payload}`)
  const long = Buffer.alloc(125, 254)
  await run(t, [
    { name: '2.1 empty', send: [ping()], expect: ['pong '] },
    { name: '2.2 text', send: [ping('hello')], expect: ['pong hello'] },
    { name: '2.3 bytes', send: [ping(high)], expect: [`pong ${high.toString('latin1')}`] },
    { name: '2.4 the longest', send: [ping(long)], expect: [`pong ${long.toString('latin1')}`] },
    { name: '2.5 too long', send: [ping(Buffer.alloc(126))], expect: ['close 1002'] },
    {
      name: '2.6 in pieces',
      send: [ping(long)],
      expect: [`pong ${long.toString('latin1')}`],
      chop: 1,
    },
    { name: '2.7 pong, unasked', send: [pong()], expect: [] },
    { name: '2.8 pong with a payload', send: [pong('hello')], expect: [] },
    { name: '2.9 pong, then ping', send: [pong('a'), ping('b')], expect: ['pong b'] },
    { name: '2.10 ten', send: ten.map(ping), expect: tenPongs },
    { name: '2.11 ten in pieces', send: ten.map(ping), expect: tenPongs, chop: 1 },
  ])
})

t.test('3 reserved bits', async (t) => {
  const bits = (rsv: number, opcode: number = opcodes.text) => frame(opcode, command(3), { rsv })
  const between = [text(command(2)), answered, bits(2), ping()] as const
  await run(t, [
    { name: '3.1 RSV1: compressed, though not agreed', send: [bits(4)], expect: ['close 1002'] },
    { name: '3.2', send: between, expect: ['reply 2', 'close 1002'] },
    {
      name: '3.3',
      send: [text(command(2)), answered, bits(3), ping()],
      expect: ['reply 2', 'close 1002'],
    },
    { name: '3.4 in pieces', send: between, expect: ['reply 2', 'close 1002'], chop: 1 },
    { name: '3.5 binary', send: [bits(5, opcodes.binary)], expect: ['close 1002'] },
    { name: '3.6 ping', send: [frame(opcodes.ping, 'x', { rsv: 6 })], expect: ['close 1002'] },
    { name: '3.7 close', send: [frame(opcodes.close, '', { rsv: 7 })], expect: ['close 1002'] },
  ])
})

t.test('4 opcodes', async (t) => {
  const cases = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode, at): Case[] => {
    const name = `4.${at < 5 ? 1 : 2}.${(at % 5) + 1} opcode ${opcode}`
    return [
      { name, send: [frame(opcode, at % 2 === 0 ? '' : 'payload')], expect: ['close 1002'] },
      {
        name: `${name} behind a message`,
        send: [text(command(2)), answered, frame(opcode, 'payload'), ping()],
        expect: ['reply 2', 'close 1002'],
      },
    ]
  })
  await run(t, cases)
})

t.test('5 fragments', async (t) => {
  const cut = (opcode: number) => frame(opcode, 'part', { fin: false })
  const two = [first(head), last(tail)]
  const pinged = [first(head), ping('p'), last(tail)]
  const again = text(command(3))
  const nothingToContinue: Case[] = [true, false].flatMap((fin, group) =>
    [undefined, 1000, 1].map(
      (chop, at): Case => ({
        name: `5.${9 + 3 * group + at} continues nothing, ${fin ? 'final' : 'not final'}`,
        send: [frame(opcodes.continuation, 'x', { fin }), again],
        expect: ['close 1002'],
        ...defined({ chop }),
      }),
    ),
  )
  await run(t, [
    { name: '5.1 ping', send: [cut(opcodes.ping), last('')], expect: ['close 1002'] },
    { name: '5.2 pong', send: [cut(opcodes.pong), last('')], expect: ['close 1002'] },
    { name: '5.3 text in two', send: two, expect: ['reply 2'] },
    { name: '5.4', send: two, expect: ['reply 2'], chop: 1000 },
    { name: '5.5 in pieces', send: two, expect: ['reply 2'], chop: 1 },
    { name: '5.6 a ping between', send: pinged, expect: ['pong p', 'reply 2'] },
    { name: '5.7', send: pinged, expect: ['pong p', 'reply 2'], chop: 1000 },
    { name: '5.8', send: pinged, expect: ['pong p', 'reply 2'], chop: 1 },
    ...nothingToContinue,
    { name: '5.15', send: [...two, answered, last('x'), again], expect: ['reply 2', 'close 1002'] },
    { name: '5.16', send: [more('x'), first(head), last(tail)], expect: ['close 1002'] },
    { name: '5.17', send: [last('x'), first(head), last(tail)], expect: ['close 1002'] },
    {
      name: '5.18 a message within a message',
      send: [first(head), text(tail)],
      expect: ['close 1002'],
    },
    {
      name: '5.19 and 5.20 five fragments, pings between',
      send: [
        ...[first(head), more(tail.slice(0, 4)), ping('1'), more(tail.slice(4, 8))],
        ...[ping('2'), more(''), ping('3'), last(tail.slice(8))],
      ],
      expect: ['pong 1', 'pong 2', 'pong 3', 'reply 2'],
    },
    {
      name: 'empty fragments',
      send: [first(''), more(''), first(command())],
      expect: ['close 1002'],
    },
    {
      name: 'a thousand empty fragments are bounded',
      send: [first(head), ...Array.from({ length: 1100 }, () => more(empty))],
      expect: ['close 1008'],
    },
    {
      name: 'unmasked (RFC 6455 §5.1)',
      send: [frame(opcodes.text, command(), { masked: false })],
      expect: ['close 1002'],
    },
  ])
})

t.test('7 closing', async (t) => {
  const good = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
  const bad = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535]
  const longest = 'x'.repeat(123)
  const late = [close(closing(1000)), ping('late'), text(command(3))]
  await run(t, [
    {
      name: '7.1.1',
      send: [text(command()), answered, close(closing(1000))],
      expect: ['reply 2', 'close 1000'],
    },
    {
      name: '7.1.2 twice',
      send: [close(closing(1000)), close(closing(1000))],
      expect: ['close 1000'],
    },
    { name: '7.1.3 and 7.1.4 nothing after it', send: late, expect: ['close 1000'] },
    {
      name: '7.1.5 within a message',
      send: [first(head), close(closing(1000)), last(tail)],
      expect: ['close 1000'],
    },
    {
      name: '7.1.6 behind a large message',
      send: [text(command(2, 65_536)), answered, close(closing(1000)), ping()],
      expect: ['reply 2', 'close 1000'],
    },
    { name: '7.3.1 empty', send: [close()], expect: ['close'] },
    { name: '7.3.2 one byte', send: [close('a')], expect: ['close 1002'] },
    { name: '7.3.3 a code', send: [close(closing(1000))], expect: ['close 1000'] },
    { name: '7.3.4 a reason', send: [close(closing(1000, 'Hello'))], expect: ['close 1000'] },
    { name: '7.3.5 the longest', send: [close(closing(1000, longest))], expect: ['close 1000'] },
    { name: '7.3.6 too long', send: [close(closing(1000, `${longest}x`))], expect: ['close 1002'] },
    {
      name: '7.5.1 a reason that is no UTF-8',
      send: [close(closing(1000, Buffer.from('ceba0000', 'hex').fill(0xed, 2)))],
      expect: ['close 1007'],
    },
    ...good.map((code, at) => ({
      name: `7.7.${at + 1} ${code}`,
      send: [close(closing(code))],
      expect: [`close ${code}`],
    })),
    // 7.13 allows any reaction to 5000 and 65535.
    ...bad.map((code, at) => ({
      name: `7.9.${at + 1} ${code}`,
      send: [close(closing(code))],
      expect: ['close 1002'],
    })),
  ])
})

t.test('9 and 10 sizes', async (t) => {
  const whole = command(2, 65_536)
  await run(t, [
    { name: '9.1.1 64 KiB', send: [text(whole)], expect: ['reply 2'] },
    // 9.1.2 to 9.1.6 use up to 16 MiB; our limit is MAX_FRAME_BYTES.
    { name: '9.1.2 a byte more', send: [text(command(2, 65_537))], expect: ['close 1009'] },
    { name: '9.3.1 in fragments of 64', send: fragments(whole, 64), expect: ['reply 2'] },
    { name: '9.3.2 of 256', send: fragments(whole, 256), expect: ['reply 2'] },
    { name: '9.3.5 of 16 KiB', send: fragments(whole, 16_384), expect: ['reply 2'] },
    {
      name: '9.3 and no more in fragments',
      send: fragments(`${whole} `, 256),
      expect: ['close 1009'],
    },
    { name: '9.5.1 in pieces of 64', send: [text(whole)], expect: ['reply 2'], chop: 64 },
    { name: '9.5.6 of 2048', send: [text(whole)], expect: ['reply 2'], chop: 2048 },
    {
      name: '9.7 a thousand messages',
      send: Array.from({ length: 1000 }, (_, at) => text(command(at + 100))),
      expect: Array.from({ length: 1000 }, (_, at) => `reply ${at + 100}`),
    },
    { name: '10.1.1 in fragments of 1300', send: fragments(whole, 1300), expect: ['reply 2'] },
    {
      name: 'declared to be larger than memory',
      send: [Buffer.from('81ff7fffffffffffffff', 'hex')],
      expect: ['close 1009'],
    },
    {
      name: 'declared to be larger than a number',
      send: [Buffer.from('81ffffffffffffffffff', 'hex')],
      expect: ['close 1009'],
    },
  ])
})

t.test('12 and 13 no compression', async (t) => {
  for (const offer of [
    'permessage-deflate',
    'permessage-deflate; client_max_window_bits, permessage-deflate',
    'permessage-deflate; server_no_context_takeover; server_max_window_bits=8',
    'permessage-bzip2, x-webkit-deflate-frame',
  ]) {
    const extensions = `Sec-WebSocket-Extensions: ${offer}`
    const { head, raw } = await RawSocket.open(t, node.port, auth.issue(), [extensions])
    t.notMatch(head, /sec-websocket-extensions/i, offer)
    raw.send(frame(opcodes.text, command(), { rsv: 4 }))
    t.same((await raw.next())?.payload.readUInt16BE(), 1002)
  }
})
