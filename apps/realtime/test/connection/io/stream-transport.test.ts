import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { jsonStreamCodec } from '@portcullis/protocol'
import t, { type Test } from 'tap'
import { StreamTransport } from '../../../src/connection/io/stream-transport.js'
import type { CloseDeadline } from '../../../src/connection/io/web-socket-transport.js'
import { Deadline } from '../../../src/connection/timing/deadline.js'

const emulation = { session: 'secret', node: 'here' }

/** Returns a transport over a TCP connection, and the peer's end of it, which does not read yet. */
async function pair(t: Test, closeMs = 10_000) {
  const closeDeadline: CloseDeadline = new Deadline(closeMs, (late) => late.destroy())
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const peer = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  peer.pause()
  const [raw] = (await once(server, 'connection')) as [Socket]
  t.teardown(() => {
    closeDeadline.stop()
    peer.destroy()
    raw.destroy()
    server.close()
  })
  raw.on('error', () => undefined)
  const transport = new StreamTransport({
    name: 'sse',
    raw,
    codec: jsonStreamCodec,
    emulation,
    closeDeadline,
  })
  raw.once('close', () => transport.closed())
  return { transport, raw, peer }
}

/** Reads the peer's end to its end. Resolves with the text, and the error if the connection was reset. */
async function readAll(peer: Socket): Promise<{ text: string; error?: string }> {
  let text = ''
  peer.on('data', (bytes) => {
    text += bytes
  })
  peer.resume()
  return new Promise((resolve) => {
    peer.once('end', () => resolve({ text }))
    peer.once('error', (error: NodeJS.ErrnoException) => resolve({ text, error: error.code ?? '' }))
  })
}

t.test('writes frames in order, and ends with a disconnect push', async (t) => {
  const { transport, peer } = await pair(t)
  transport.write([Buffer.from('1\n'), Buffer.from('2\n')])
  transport.write([Buffer.from('3\n')])
  transport.close(4500, 'token revoked')
  transport.write([Buffer.from('late\n')])
  const { text } = await readAll(peer)
  t.equal(text, '1\n2\n3\n{"push":{"disconnect":{"code":4500,"reason":"token revoked"}}}\n')
})

t.test(
  'counts bytes that the peer has not taken, and resets a connection with such bytes',
  async (t) => {
    const { transport, raw, peer } = await pair(t)
    const megabyte = Buffer.alloc(1_048_576, 'x')
    t.equal(transport.backlog(), 0)
    let sent = 0
    while (raw.writableLength < megabyte.length) {
      transport.write([megabyte])
      sent += megabyte.length
      await new Promise(setImmediate)
    }
    t.equal(transport.backlog(), raw.writableLength)
    const inKernel = sent - raw.writableLength
    transport.destroy()
    // Without a reset the kernel would send all that it had.
    t.ok((await readAll(peer)).text.length < inKernel / 2)
  },
)

t.test('resets a peer that does not close its side in time', async (t) => {
  const { transport, raw, peer } = await pair(t, 50)
  transport.close(3001, 'shutdown')
  // The peer reads to the end, and keeps its own side open.
  t.match(await readAll(peer), { text: /3001/, error: undefined })
  if (!raw.destroyed) {
    await once(raw, 'close')
  }
  peer.write('still here')
  const [error] = await once(peer, 'error')
  t.match(error.code, /^(?:ECONNRESET|EPIPE)$/)
})

t.test('a peer that is gone takes no frames', async (t) => {
  const { transport, raw } = await pair(t)
  raw.destroy()
  await once(raw, 'close')
  transport.write([Buffer.from('1\n')])
  transport.close(3001, 'shutdown')
  t.equal(transport.backlog(), 0)
})
