import { isUtf8 } from 'node:buffer'
import t, { type Test } from 'tap'
import { frame, opcodes, RawSocket } from '../fixtures/raw-socket.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { close, fragments, text } from '../fixtures/rfc6455-case.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

// Group 6 of the Autobahn testsuite: valid UTF-8 is returned unchanged, invalid UTF-8 closes with
// 1007. The echo is a publication received by its publisher. Control characters are omitted, since
// JSON allows them only escaped. The suite prefers a failure at the first invalid byte (6.4), but
// also accepts a check of the whole message, as in ws.

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  // Prevents pings of the protocol between the expected messages.
  PING_INTERVAL_MS: '3600000',
})

const point = (code: number) => Buffer.from(String.fromCodePoint(code))
const hex = (digits: string) => Buffer.from(digits.replaceAll(' ', ''), 'hex')
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at)

const valid: [string, Buffer][] = [
  ['6.1 nothing', Buffer.alloc(0)],
  ['6.2 a sentence', Buffer.from('Hello-µ@ßöäüàá-UTF-8!!')],
  ['6.5 the word kosme', hex('cebae1bdb9cf83cebcceb5')],
  // 6.7, 6.9: the first and the last code point of each length.
  ...[0x20, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x1_0000, 0x10_ffff].map((code) =>
    named('6.7', code),
  ),
  // 6.11: code points next to the surrogates, and the replacement character.
  ...[0xd7ff, 0xe000, 0xfffd].map((code) => named('6.11', code)),
  // 6.22: the last two code points of each plane are not characters, but valid.
  ...range(0, 16).flatMap((plane) => [
    named('6.22', plane * 0x1_0000 + 0xfffe),
    named('6.22', plane * 0x1_0000 + 0xffff),
  ]),
  ['6.23 byte order mark', hex('efbbbf')],
  ['6.23 line and paragraph separators', hex('e280a8 e280a9')],
]

function named(group: string, code: number): [string, Buffer] {
  return [`${group} U+${code.toString(16).padStart(4, '0')}`, point(code)]
}

const word = hex('cebae1bdb9cf83cebcceb5')
const invalid: [string, Buffer][] = [
  ['6.3 in the middle of a word', Buffer.concat([word, hex('edafbf'), Buffer.from('edited')])],
  ['6.4 beyond the last code point', Buffer.concat([word, hex('f4908080'), Buffer.from('edited')])],
  // 6.6: the word, cut at each byte.
  ...range(1, word.length)
    .map((length): [string, Buffer] => [`6.6 ${length} bytes`, word.subarray(0, length)])
    .filter(([, bytes]) => !isUtf8(bytes)),
  // 6.8, 6.10: sequences of five and six bytes, and of four beyond Unicode.
  ['6.8 the first of five bytes', hex('f888808080')],
  ['6.8 the first of six', hex('fc8480808080')],
  ['6.10 the last of four', hex('f7bfbfbf')],
  ['6.10 the last of five', hex('fbbfbfbfbf')],
  ['6.10 the last of six', hex('fdbfbfbfbfbf')],
  ['6.11 U+110000', hex('f4908080')],
  // 6.12: one to seven continuation bytes, and each of the 64.
  ...range(1, 7).map((count): [string, Buffer] => [
    `6.12 ${count} continuations`,
    Buffer.alloc(count, hex('80bf')),
  ]),
  ['6.12 all continuations', Buffer.from(range(0x80, 0xbf))],
  // 6.13: each byte that starts a sequence, followed by a blank.
  ...range(0xc0, 0xfd).map((start): [string, Buffer] => [
    `6.13 ${start.toString(16)} and a blank`,
    Buffer.from([start, 0x20]),
  ]),
  // 6.14: sequences without their last byte; 6.15: all of these joined.
  ...[
    'c0',
    'e080',
    'f08080',
    'f8808080',
    'fc80808080',
    'df',
    'efbf',
    'f7bfbf',
    'fbbfbfbf',
    'fdbfbfbfbf',
  ].map((digits): [string, Buffer] => [`6.14 ${digits}`, hex(digits)]),
  ['6.15', hex('c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf')],
  // 6.16: bytes that never occur.
  ...['fe', 'ff', 'fefeffff'].map((digits): [string, Buffer] => [`6.16 ${digits}`, hex(digits)]),
  // 6.17 to 6.19: overlong sequences.
  ...['c0af', 'e080af', 'f08080af', 'f8808080af', 'fc80808080af', 'c1bf', 'e09fbf', 'f08fbfbf']
    .concat([
      'f887bfbfbf',
      'fc83bfbfbfbf',
      'c080',
      'e08080',
      'f0808080',
      'f880808080',
      'fc8080808080',
    ])
    .map((digits): [string, Buffer] => [`6.17 ${digits}`, hex(digits)]),
  // 6.20, 6.21: surrogates, alone and in pairs.
  ...['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080', 'edbe80', 'edbfbf']
    .concat(['eda080edb080', 'eda080edbfbf', 'edadbfedb080', 'edaebfedbfbf', 'edafbfedb080'])
    .map((digits): [string, Buffer] => [`6.20 ${digits}`, hex(digits)]),
]

const publish = (data: Buffer) =>
  Buffer.concat([
    Buffer.from('{"id":3,"publish":{"channel":"echo","data":"'),
    data,
    Buffer.from('"}}'),
  ])

/** Offset of the data in the message. */
const at = publish(Buffer.alloc(0)).indexOf('"}}')

async function open(t: Test): Promise<RawSocket> {
  const { raw } = await RawSocket.open(t, node.port, auth.issue())
  raw.send(text('{"id":1,"connect":{}}'))
  await raw.next()
  return raw
}

t.test('returns valid UTF-8 unchanged, however it is fragmented', async (t) => {
  const raw = await open(t)
  raw.send(text('{"id":2,"subscribe":{"channel":"echo"}}'))
  await raw.next()
  for (const [name, data] of valid) {
    const message = publish(data)
    const cuts = range(0, data.length).map((cut) => [
      frame(opcodes.text, message.subarray(0, at + cut), { fin: false }),
      frame(opcodes.continuation, message.subarray(at + cut)),
    ])
    for (const frames of [[text(message)], fragments(message, 1), ...cuts]) {
      raw.send(...frames)
      const echoes: string[] = []
      let replied = false
      while (echoes.length === 0 || !replied) {
        for (const line of ((await raw.next())?.payload ?? '').toString().split('\n')) {
          const { id, push } = JSON.parse(line)
          if (id === 3) {
            replied = true
          } else {
            echoes.push(push.pub.data)
          }
        }
      }
      t.same(echoes, [data.toString()], name)
    }
  }
})

t.test('closes with 1007 on invalid UTF-8 and publishes nothing', async (t) => {
  const before = await node.metric('portcullis_realtime_published_total')
  for (const [name, data] of invalid) {
    const message = publish(data)
    for (const frames of [[text(message)], fragments(message, at + 1)]) {
      const raw = await open(t)
      raw.send(...frames)
      const received = await raw.next()
      t.equal(received?.opcode, opcodes.close, name)
      t.equal(received?.payload.readUInt16BE(), 1007, name)
      raw.send(close(received?.payload))
      raw.socket.destroy()
    }
  }
  t.equal(await node.metric('portcullis_realtime_published_total'), before)
})
