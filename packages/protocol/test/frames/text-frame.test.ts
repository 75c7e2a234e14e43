import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { textFrame } from '../../src/frames/text-frame.js'

/** Returns what a real client receives when a server writes these frames in one write. */
async function read(frames: readonly Buffer[]): Promise<string[]> {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (opened) => {
      socket.write(Buffer.concat(frames))
      opened.close(4000)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = new WebSocket(`ws://127.0.0.1:${port}`)
  const messages: string[] = []
  client.on('message', (data) => messages.push(data.toString()))
  const [code] = await once(client, 'close')
  server.close()
  if (code !== 4000) {
    throw new Error(`the client closed with ${code}`)
  }
  return messages
}

t.test('a client reads frames with every header size', async (t) => {
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]) {
    const text = 'x'.repeat(length)
    const messages = await read([textFrame(text), textFrame(Buffer.from(text))])
    t.same(messages, [text, text], `${length} bytes, from text and from a buffer`)
  }
})

t.test('the length counts bytes, not characters', async (t) => {
  t.same(await read([textFrame('ü€😀'), textFrame('{}')]), ['ü€😀', '{}'])
})
