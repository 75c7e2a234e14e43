import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { startTcpProxy } from './tcp-proxy.js'

/** Starts a server that echoes everything after its name. */
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

t.test('forwards bytes, and closes every connection when cut', async (t) => {
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

t.test('moves new connections to another target and keeps open ones', async (t) => {
  const proxy = await startTcpProxy(t, await echo(t, 'one'))
  const before = await dial(t, proxy.port)
  t.equal(await ask(before, 'a'), 'one a')
  proxy.moveTo(await echo(t, 'two'))
  t.equal(await ask(await dial(t, proxy.port), 'b'), 'two b')
  t.equal(await ask(before, 'c'), 'one c')
})

t.test(
  'holds bytes of old and new connections while stalled, and forwards them later',
  async (t) => {
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
    // Two round trips through another proxy: time enough for the stalled bytes to arrive.
    const free = await dial(t, other.port)
    for (const text of ['c', 'd']) {
      t.equal(await ask(free, text), `two ${text}`)
    }
    t.same(heard, [])
    proxy.resume()
    await held
    t.same(heard, ['one b', 'one b'])
  },
)

t.test('delays bytes and keeps their order, also when the delay ends', async (t) => {
  const proxy = await startTcpProxy(t, await echo(t, 'one'))
  const socket = await dial(t, proxy.port)
  proxy.delay(30)
  const start = performance.now()
  t.equal(await ask(socket, 'a'), 'one a')
  // Each of the two timers may fire 1 ms early by this clock, and rounding adds another.
  t.ok(performance.now() - start >= 57, 'delayed in both directions')
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
