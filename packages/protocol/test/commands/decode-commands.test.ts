import fc from 'fast-check'
import t from 'tap'
import { maxCommandId } from '../../src/commands/commands.js'
import { decodeCommands } from '../../src/commands/decode-commands.js'
import { ProtocolError, type ProtocolErrorCode } from '../../src/errors.js'

function refused(text: string, maxCommands?: number): ProtocolErrorCode | 'accepted' {
  try {
    decodeCommands(text, maxCommands)
    return 'accepted'
  } catch (error) {
    if (error instanceof ProtocolError) {
      return error.code
    }
    throw error
  }
}

t.test('returns the commands of a frame in order', async (t) => {
  const text = '{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"news"}}\n{}\n'
  t.same(decodeCommands(text), [
    { method: 'connect', id: 1, body: {} },
    { method: 'subscribe', id: 2, body: { channel: 'news' } },
    { method: 'pong' },
  ])
})

t.test('allows unknown fields of newer clients', async (t) => {
  const [command] = decodeCommands(
    '{"id":1,"connect":{"token":"","name":"js","headers":{"a":"b"},"flag":1},"later":true}',
  )
  t.match(command, { method: 'connect', id: 1 })
})

t.test('accepts send only without an id', async (t) => {
  t.match(decodeCommands('{"send":{"data":1}}'), [{ method: 'send' }])
  t.equal(refused('{"id":1,"send":{"data":1}}'), 'not_a_command')
  t.equal(refused('{"send":7}'), 'not_a_command')
})

t.test('returns malformed for a command with an invalid body', async (t) => {
  const wrong: [string, unknown][] = [
    ['subscribe', {}],
    ['subscribe', { channel: '' }],
    ['subscribe', { channel: 'a'.repeat(256) }],
    ['subscribe', { channel: 'with space' }],
    ['subscribe', { channel: 'star*' }],
    ['subscribe', { channel: 7 }],
    ['subscribe', null],
    ['unsubscribe', []],
    ['publish', { channel: 'news' }],
    ['refresh', { token: '' }],
    ['refresh', { token: 'a'.repeat(4097) }],
    ['rpc', { method: 'a'.repeat(256) }],
    ['connect', { token: 1 }],
    ['connect', 'text'],
    ['connect', { subs: [] }],
    ['connect', { subs: { a: null } }],
    ['connect', { subs: { a: { offset: -1 } } }],
    ['connect', { subs: { a: { recover: 1 } } }],
    ['presence', {}],
  ]
  for (const [method, body] of wrong) {
    t.same(
      decodeCommands(JSON.stringify({ id: 3, [method]: body })),
      [{ method: 'malformed', id: 3, of: method }],
      `${method} with ${JSON.stringify(body).slice(0, 40)}`,
    )
  }
})

t.test('rejects a frame that breaks the protocol', async (t) => {
  const frames: [string, ProtocolErrorCode][] = [
    ['', 'empty_frame'],
    [' \n\n ', 'empty_frame'],
    ['{', 'not_json'],
    ['nonsense', 'not_json'],
    ['[]', 'not_a_command'],
    ['null', 'not_a_command'],
    ['7', 'not_a_command'],
    ['{"id":1}', 'not_a_command'],
    ['{"id":1,"fly":{}}', 'not_a_command'],
    ['{"id":1,"constructor":{}}', 'not_a_command'],
    ['{"id":1,"__proto__":{"connect":{}}}', 'not_a_command'],
    ['{"id":1,"publish":{"channel":"a","data":1},"subscribe":{"channel":"a"}}', 'not_a_command'],
    ['{"connect":{}}', 'not_a_command'],
    ['{"id":0,"connect":{}}', 'not_a_command'],
    ['{"id":-1,"connect":{}}', 'not_a_command'],
    ['{"id":1.5,"connect":{}}', 'not_a_command'],
    ['{"id":"1","connect":{}}', 'not_a_command'],
    [`{"id":${maxCommandId + 1},"connect":{}}`, 'not_a_command'],
    ['{"id":1,"connect":{}}\n{"id":2', 'not_json'],
  ]
  for (const [frame, code] of frames) {
    t.equal(refused(frame), code, JSON.stringify(frame))
  }
  t.equal(refused(`{"id":${maxCommandId},"connect":{}}`), 'accepted', 'the largest id')
})

t.test('limits the commands of a frame before parsing them', async (t) => {
  const line = '{"send":{}}'
  t.equal(decodeCommands([line, line, line].join('\n'), 3).length, 3)
  t.equal(refused([line, line, line, line].join('\n'), 3), 'too_many_commands')
  t.equal(refused(`not json\n${'\n'.repeat(50_000)}x`, 3), 'not_json', 'blank lines cost nothing')
  t.equal(refused('x\n'.repeat(100_000), 3), 'too_many_commands')
})

t.test('throws only ProtocolError for arbitrary text', async (t) => {
  const id = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null))
  const method = fc.oneof(
    fc.constantFrom('connect', 'subscribe', 'unsubscribe', 'publish', 'refresh', 'rpc', 'send'),
    fc.string(),
  )
  const nearly = fc
    .tuple(id, method, fc.oneof(fc.jsonValue(), fc.record({ channel: fc.string() })))
    .map(([id, method, body]) => JSON.stringify({ id, [method]: body }))
  const line = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), nearly)
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      refused(lines.join('\n'))
    }),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      refused(Buffer.from(bytes).toString())
    }),
    { numRuns: 1000 },
  )
  const deep = '['.repeat(30_000) + ']'.repeat(30_000)
  t.equal(refused(`{"id":1,"publish":{"channel":"a","data":${deep}}}`), 'accepted', 'deep nesting')
})
