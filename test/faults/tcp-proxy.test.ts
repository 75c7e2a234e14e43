import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { startTcpProxy } from './tcp-proxy.js'

/** A server that says everything back, after its name. */
async function echo(t: Test, name: string): Promise<string> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (data) => socket.write(`${name} ${data}`))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of open) {
      socket.destroy()
    }
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function dial(t: Test, port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port }).setEncoding('utf8')
  socket.on('error', () => undefined)
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

async function ask(socket: Socket, text: string): Promise<string> {
  const answer = once(socket, 'data')
  socket.write(text)
  const [said]: string[] = await answer
  return said ?? ''
}

t.test('passes on, and drops everything when cut', async (t) => {
  const proxy = await startTcpProxy(t, await echo(t, 'one'))
  const socket = await dial(t, proxy.port)
  t.equal(await ask(socket, 'a'), 'one a')
  const closed = once(socket, 'close')
  proxy.cut()
  await closed
  await once(await dial(t, proxy.port), 'close')
  proxy.resume()
  t.equal(await ask(await dial(t, proxy.port), 'b'), 'one b')
})

t.test('moves new connections to another target, and leaves the open ones', async (t) => {
  const proxy = await startTcpProxy(t, await echo(t, 'one'))
  const before = await dial(t, proxy.port)
  t.equal(await ask(before, 'a'), 'one a')
  proxy.moveTo(await echo(t, 'two'))
  t.equal(await ask(await dial(t, proxy.port), 'b'), 'two b')
  t.equal(await ask(before, 'c'), 'one c')
})

t.test('holds what comes while stalled, new connections too, and passes it on after', async (t) => {
  const proxy = await startTcpProxy(t, await echo(t, 'one'))
  const other = await startTcpProxy(t, await echo(t, 'two'))
  const before = await dial(t, proxy.port)
  t.equal(await ask(before, 'a'), 'one a')
  proxy.stall()
  const heard: unknown[] = []
  const held = Promise.all(
    [before, await dial(t, proxy.port)].map(async (socket) => {
      socket.write('b')
      heard.push(...(await once(socket, 'data')))
    }),
  )
  // Something that is not stalled goes there and back twice, so that the stalled had its time.
  const free = await dial(t, other.port)
  for (const text of ['c', 'd']) {
    t.equal(await ask(free, text), `two ${text}`)
  }
  t.same(heard, [])
  proxy.resume()
  await held
  t.same(heard, ['one b', 'one b'])
})

t.test('passes on later, in order, also when the delay ends', async (t) => {
  const proxy = await startTcpProxy(t, await echo(t, 'one'))
  const socket = await dial(t, proxy.port)
  proxy.delay(30)
  const start = performance.now()
  t.equal(await ask(socket, 'a'), 'one a')
  // A timer may come a millisecond early, by this clock: twice, and once more for its rounding.
  t.ok(performance.now() - start >= 57, 'there and back')
  let heard = ''
  const all = new Promise<void>((resolve) => {
    socket.on('data', (text) => {
      heard += text
      if (heard.includes('c')) {
        resolve()
      }
    })
  })
  socket.write('b')
  proxy.resume()
  socket.write('c')
  await all
  t.ok(heard.indexOf('b') < heard.indexOf('c'), heard)
})
