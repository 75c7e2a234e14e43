import t from 'tap'
import { closing, frame, opcodes, RawSocket, type Received } from '../fixtures/raw-socket.js'
import { randomPrefix, realtimeNode } from '../fixtures/realtime-node.js'
import { close } from '../fixtures/rfc6455-case.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

// Cases 1.2 and 9.2 of the Autobahn testsuite: binary messages, in Protobuf. The command is
// `unsubscribe`, padded with an unknown field.

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  MAX_FRAME_BYTES: '65536',
  MAX_CHANNELS: '32',
  // Prevents pings of the protocol between the expected messages.
  PING_INTERVAL_MS: '3600000',
})

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]
}

/** Returns a command of `bytes` bytes, including its length prefix. */
function command(id: number, bytes: number): Buffer {
  const asked = Buffer.from([8, id, 0x32, 6, 10, 4, ...Buffer.from('echo')])
  // Field 100 holds bytes; its length and the total length take one to three bytes each.
  for (let padding = 0; padding <= bytes; padding += 1) {
    const length = bytes - padding
    const filler = [0xa2, 6, ...varint(length)]
    const body = Buffer.concat([asked, Buffer.from(filler), Buffer.alloc(length, 0xfe)])
    const whole = Buffer.concat([Buffer.from(varint(body.length)), body])
    if (whole.length === bytes) {
      return whole
    }
  }
  throw new Error(`a command needs more than ${bytes} bytes`)
}

async function open(): Promise<RawSocket> {
  const form = ['Sec-WebSocket-Protocol: centrifuge-protobuf']
  const { raw } = await RawSocket.open(t, node.port, auth.issue(), form)
  raw.send(frame(opcodes.binary, Buffer.from([4, 8, 1, 0x22, 0])))
  await raw.next()
  return raw
}

/** Returns true for the reply to `unsubscribe`: its id and an empty result. */
const reply = (id: number) => Buffer.from([4, 8, id, 0x3a, 0])

const same = (received: Received | undefined, id: number) =>
  received?.opcode === opcodes.binary && received.payload.equals(reply(id))

t.test('accepts binary messages of any size, whole, in fragments and in pieces', async (t) => {
  const raw = await open()
  let id = 1
  for (const bytes of [20, 125, 126, 127, 128, 65_535, 65_536]) {
    id += 1
    raw.send(frame(opcodes.binary, command(id, bytes)))
    t.ok(same(await raw.next(), id), `1.2 ${bytes} bytes`)
  }
  const whole = command(10, 65_536)
  await raw.chopped(997, frame(opcodes.binary, whole))
  t.ok(same(await raw.next(), 10), '1.2.8 in pieces')
  for (const size of [64, 1300, 16_384]) {
    for (let at = 0; at < whole.length; at += size) {
      const fin = at + size >= whole.length
      const opcode = at === 0 ? opcodes.binary : opcodes.continuation
      raw.send(frame(opcode, whole.subarray(at, at + size), { fin }))
    }
    t.ok(same(await raw.next(), 10), `9.4 in fragments of ${size}`)
  }
  raw.send(frame(opcodes.ping, 'alive'))
  t.match(await raw.next(), { opcode: opcodes.pong })
})

t.test('rejects a binary message that is too large or not Protobuf', async (t) => {
  const cases: [string, Buffer, number][] = [
    ['1.2.1 nothing', frame(opcodes.binary), 3501],
    ['9.2.2 too large', frame(opcodes.binary, command(2, 65_537)), 1009],
    ['text', frame(opcodes.text, '{}'), 3506],
    ['text that is no UTF-8', frame(opcodes.text, Buffer.from([0xff])), 1007],
  ]
  for (const [name, sent, code] of cases) {
    const raw = await open()
    raw.send(sent)
    t.same((await raw.next())?.payload.readUInt16BE(), code, name)
    raw.send(close(closing(code)))
    raw.socket.destroy()
  }
})
