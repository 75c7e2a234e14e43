import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { connected, type Peer } from './fixtures/dial.js'
import { startProcess, startReady } from './fixtures/start-process.js'

// Many processes start here; a busy machine needs its time for that.
t.setTimeout(300_000)

type Node = Awaited<ReturnType<typeof startReady>>

/** Returns the process ids that a worker and its successors have had, from the log. */
function pidsOf({ service }: Node, worker: number): number[] {
  const line = new RegExp(`"pid":(\\d+),"hostname":"[^"]*","worker":${worker},`, 'g')
  return [...new Set([...service.output().matchAll(line)].map(([, pid]) => Number(pid)))]
}

function kill(node: Node, worker: number, signal: NodeJS.Signals): void {
  const pid = pidsOf(node, worker).at(-1)
  if (pid === undefined) {
    throw new Error(`the log has no line of worker ${worker}`)
  }
  process.kill(pid, signal)
}

/** Opens sockets until each of the workers has one. Returns one for each, by the worker's name. */
async function connectToEach({ auth, url }: Node, names: readonly string[]) {
  const peers = new Map<string, Peer>()
  while (names.some((name) => !peers.has(name))) {
    const peer = await connected(url, auth.issue())
    peers.get(peer.node)?.socket.terminate()
    peers.set(peer.node, peer)
  }
  return peers
}

/** Returns the value of a metric without labels. */
async function metric(port: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1])
}

const settings = { WORKERS: '2', NODE_NAME: 'edge', INTERNAL_PORT: '0' }
const names = ['edge-1', 'edge-2']

t.test(
  'workers share one port, each as a node of its own, and answer as one service',
  async (t) => {
    const node = await startReady(t, settings)
    const { service, auth, port, url } = node
    t.equal(await metric(port, 'portcullis_workers'), 2, '/ready waits for all workers')
    const peers = await connectToEach(node, names)
    t.same([...peers.keys()].sort(), names)
    const open = () => metric(port, 'portcullis_realtime_connections')
    while ((await open()) !== 2) {}
    t.pass('the sum of all connections is reported')
    const lease = await metric(port, 'portcullis_realtime_lease_left_seconds')
    t.ok(lease > 0 && lease <= 60, 'the lease is that of one worker, not a sum')

    const token = auth.issue()
    const both = new Map<string, Peer>()
    while (both.size < 2) {
      const peer = await connected(url, token)
      both.get(peer.node)?.socket.terminate()
      both.set(peer.node, peer)
    }
    await auth.revoke({ token })
    for (const peer of both.values()) {
      t.equal((await peer.closed).code, 4500, `closed at ${peer.node}`)
    }

    service.child.kill('SIGTERM')
    t.equal(await service.exited, 0)
    for (const peer of peers.values()) {
      t.same(await peer.closed, { code: 3001, reason: 'shutdown' }, 'all workers drain')
    }
  },
)

t.test('a worker that is killed comes back under its name, and others continue', async (t) => {
  const node = await startReady(t, settings)
  const { service, port } = node
  const peers = await connectToEach(node, names)
  const admitted = /^portcullis_realtime_admissions_total\{result="admitted"\} (\d+)$/m
  const count = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    return Number(admitted.exec(text)?.[1])
  }
  const before = await count()
  t.ok(before >= 2)
  kill(node, 2, 'SIGKILL')
  await peers.get('edge-2')?.closed
  t.equal(peers.get('edge-1')?.socket.readyState, 1, 'the other worker keeps its sockets')
  await service.wrote(/"worker":2,"how":"SIGKILL"/)
  t.ok((await count()) >= before, 'counters of the killed worker stay in the sum')
  peers.delete('edge-2')
  const again = await connectToEach(node, ['edge-2'])
  t.ok(again.has('edge-2'))
  t.equal(pidsOf(node, 2).length, 2)
  while ((await metric(port, 'portcullis_workers')) !== 2) {}

  kill(node, 1, 'SIGTERM')
  t.same(await peers.get('edge-1')?.closed, { code: 3001, reason: 'shutdown' }, 'one worker drains')
  await connectToEach(node, ['edge-1'])
  t.equal(service.child.exitCode, null, 'and starts again, like one that was killed')
})

t.test(
  'all workers wait for load balancers together; one that leaves alone does not',
  async (t) => {
    const node = await startReady(t, { ...settings, SHUTDOWN_DELAY_MS: '600000' })
    const { service, auth, port, url } = node
    const peers = await connectToEach(node, names)
    kill(node, 1, 'SIGTERM')
    t.same(await peers.get('edge-1')?.closed, { code: 3001, reason: 'shutdown' })
    await service.wrote(/"worker":1,"how":"exit code 0"/)
    await connectToEach(node, ['edge-1'])

    service.child.kill('SIGTERM')
    let status = 200
    while (status === 200) {
      ;({ status } = await fetch(`http://127.0.0.1:${port}/ready`))
    }
    t.equal(status, 503)
    const late = await connected(url, auth.issue())
    t.equal(peers.get('edge-2')?.socket.readyState, 1, 'clients stay connected')
    service.child.kill('SIGTERM')
    t.equal(await service.exited, 1)
    late.socket.terminate()
  },
)

t.test('a worker that does not answer makes the service not ready', async (t) => {
  const node = await startReady(t, settings)
  const { port } = node
  // Another worker must answer, so keep trying until the question reaches one that runs.
  kill(node, 2, 'SIGSTOP')
  t.teardown(() => kill(node, 2, 'SIGKILL'))
  const ask = async (path: string) => {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        signal: AbortSignal.timeout(3000),
      }).catch(() => undefined)
      if (answer !== undefined) {
        return { status: answer.status, body: await answer.json() }
      }
    }
  }
  t.match(await ask('/ready'), { status: 503, body: { reasons: { 'worker 2': 'no answer' } } })
  t.match(await ask('/health'), { status: 503, body: { reason: 'worker 2: no answer' } })
})

t.test('workers drain by themselves when the primary process is killed', async (t) => {
  const node = await startReady(t, settings)
  const { service, port } = node
  const peers = await connectToEach(node, names)
  service.child.kill('SIGKILL')
  for (const peer of peers.values()) {
    t.same(await peer.closed, { code: 3001, reason: 'shutdown' })
  }
  await service.closed
  t.match(service.output(), /"signal":"the primary process has ended"/)
  const socket = connect(port, '127.0.0.1')
  const [error] = await once(socket, 'error')
  t.match(error, { code: 'ECONNREFUSED' }, 'no process keeps the port')
})

t.test('signals that reach each process drain once; a second signal ends all', async (t) => {
  const node = await startReady(t, { ...settings, SHUTDOWN_DELAY_MS: '600000' })
  const { service } = node
  service.child.kill('SIGINT')
  for (const worker of [1, 2]) {
    await service.wrote(new RegExp(`"worker":${worker},[^\\n]*"msg":"closing"`))
  }
  // As Ctrl-C and service managers do: to every process, besides what the primary process passes on.
  for (const worker of [1, 2]) {
    kill(node, worker, 'SIGINT')
    kill(node, worker, 'SIGTERM')
  }
  // A worker that took one of these for a second signal would have ended.
  const peers = await connectToEach(node, names)
  t.equal(service.child.exitCode, null, 'waits for load balancers')
  service.child.kill('SIGINT')
  t.equal(await service.exited, 1)
  await service.closed
  for (const { socket } of peers.values()) {
    socket.terminate()
  }
})

t.test('a wrong setting or a missing Redis ends the service with one line', async (t) => {
  const base = { REGISTRATION_CODE: 'code', PORT: '0', LOG_LEVEL: 'silent' }
  const workers = /^cannot start: WORKERS must be a whole number from 1 to 64, or auto\n$/
  const cases: [Record<string, string>, RegExp][] = [
    [{ ...base, WORKERS: '0' }, workers],
    [{ ...base, WORKERS: '65' }, workers],
    [{ ...base, WORKERS: 'two' }, workers],
    [
      { ...base, WORKERS: '2', NODE_NAME: 'x'.repeat(126) },
      /^cannot start: NODE_NAME must have at most 125 characters with WORKERS above 1.*\n$/,
    ],
    [
      { ...base, WORKERS: '2', REDIS_URL: 'redis://127.0.0.1:1' },
      /^cannot start: Redis cannot be reached .*\n$/,
    ],
  ]
  for (const { line, service } of cases.map(([environment, line]) => ({
    line,
    service: startProcess(t, environment),
  }))) {
    t.equal(await service.exited, 1)
    t.match(service.output(), line)
  }
})
