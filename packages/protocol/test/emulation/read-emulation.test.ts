import fc from 'fast-check'
import t from 'tap'
import { EmulationMessage } from '../../src/codec/protobuf-messages.js'
import { readEmulation } from '../../src/emulation/read-emulation.js'

const request = { session: 'session', node: 'node' }

t.test('reads both forms', async (t) => {
  const json = Buffer.from(JSON.stringify({ ...request, data: '{"id":1}\n{"id":2}' }))
  t.same(readEmulation(json, false), {
    ...request,
    data: Buffer.from('{"id":1}\n{"id":2}'),
    isBinary: false,
  })
  const binary = Buffer.from(
    EmulationMessage.encode({ ...request, data: Buffer.of(1, 0, 255) }).finish(),
  )
  t.same(readEmulation(binary, true), { ...request, data: Buffer.of(1, 0, 255), isBinary: true })
})

t.test('refuses what is no emulation request, whatever its bytes', async (t) => {
  for (const body of [
    '',
    '{',
    'null',
    '[]',
    '{"session":"a","node":"b"}',
    '{"session":"","node":"b","data":""}',
  ]) {
    t.equal(readEmulation(Buffer.from(body), false), undefined, body)
  }
  t.equal(readEmulation(Buffer.from('{}'), true), undefined)
  fc.assert(
    fc.property(fc.uint8Array(), fc.boolean(), (bytes, isBinary) => {
      readEmulation(Buffer.from(bytes), isBinary)
    }),
  )
})
