import { close, connect } from '@portcullis/redis'
import t from 'tap'
import { sendRequests } from '../../dist/bench/clients/requests.js'
import { startSwarm } from '../../dist/bench/clients/start-swarm.js'
import { inspectorOption, inspectorUrl } from '../../dist/bench/measure/inspector.js'
import { openCall, openSockets } from '../../dist/bench/peers/peer.js'
import { startPortcullis } from '../../dist/bench/peers/portcullis.js'
import { Stage } from '../../dist/bench/stage.js'
import { type Counts, countWork } from './counters.js'
import { excesses, usual } from './usual.js'

/** Counts on a real installation what one unit of work takes; no time is measured. */
t.test('one unit of work takes no more than usual', { timeout: 240_000 }, async (t) => {
  const stage = new Stage()
  t.teardown(() => stage.close())
  const env = { NODE_OPTIONS: inspectorOption }
  const portcullis = await startPortcullis(stage, { nodes: 1, authEnv: env, realtimeEnv: env })
  const { installation, api } = portcullis
  const [node] = installation.realtime
  if (node === undefined) {
    throw new Error('no realtime node')
  }
  const redis = connect({ url: installation.redis.url, onError: () => undefined })
  await redis.connect()
  t.teardown(() => close(redis))
  const { auth } = installation
  const processes = [
    { name: 'auth', pid: auth.pid, inspector: inspectorUrl(auth.output()) },
    { name: 'node', pid: node.pid, inspector: inspectorUrl(node.output()) },
  ]

  const authorization = `Bearer ${await installation.newService('resource-server', ['introspect'])}`
  const tokens = await portcullis.tokens(64)
  const introspect = (count: number) =>
    sendRequests({
      urls: [`${auth.url}/oauth/introspect`],
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      count,
      concurrency: 1,
      body: (n) => `token=${tokens[n % tokens.length]}`,
    })
  const introspectMany = (count: number) =>
    sendRequests({
      urls: [`${auth.url}/v1/introspections`],
      headers: { authorization },
      count: count / tokens.length,
      concurrency: 1,
      body: () => JSON.stringify({ tokens }),
    })
  const publish = (count: number) =>
    sendRequests({
      urls: api.urls.map((url) => `${url}/publish`),
      headers: api.headers,
      count,
      concurrency: 1,
      body: () => '{"channel":"quiet","data":{"text":"hello"}}',
    })
  const arrivals = await startSwarm(stage)
  const subscribers = 200
  const crowd = await startSwarm(stage)
  await openSockets(crowd, portcullis, {
    count: subscribers,
    concurrency: 16,
    channels: [['crowd']],
  })
  const fanOut = (burst: number) => async (deliveries: number) => {
    const count = deliveries / subscribers
    await crowd.ask({ do: 'publish', channel: 'crowd', count, burst, bytes: 64 })
  }

  const count = async (
    unit: string,
    units: number,
    prepare: (units: number) => Promise<() => Promise<void>>,
  ) => {
    // Compiled code allocates less.
    await (await prepare(units))()
    const expected = usual[unit] ?? {}
    let counts: Counts = {}
    // What else a process does only adds to a count, so the least of several is the unit's own.
    for (let left = 3; left > 0; left -= 1) {
      const work = await prepare(units)
      counts = least(counts, await countWork(processes, redis, units, work))
      if (excesses(unit, counts, expected).length === 0) {
        break
      }
    }
    const shown = Object.entries(counts).map(([name, number]) => `'${name}': ${number.toFixed(2)}`)
    t.comment(`${unit}: ${shown.join(', ')}`)
    t.ok(unit in usual, `usual.ts has counts for ${unit}`)
    t.same(excesses(unit, counts, expected), [], `${unit} takes no more than usual`)
  }
  const repeated = (work: (units: number) => Promise<void>) => async (units: number) => () =>
    work(units)
  if (process.platform !== 'linux') {
    t.comment('system calls are not counted on this platform')
  }

  await count('an introspection', 640, repeated(introspect))
  await count('an introspection in a batch of 64', 6400, repeated(introspectMany))
  await count('a publication by the server API', 500, repeated(publish))
  await count('a delivery of a single publication', 40 * subscribers, repeated(fanOut(1)))
  await count('a delivery in a burst of 10', 100 * subscribers, repeated(fanOut(10)))

  for (const [name, concurrency] of [
    ['an admission, 64 at a time', 64],
    ['an admission, one by one', 1],
  ] as const) {
    await count(name, 320, async (sockets) => {
      const call = await openCall(portcullis, { count: sockets, concurrency })
      return async () => {
        await arrivals.ask(call)
        await arrivals.ask({ do: 'drop' })
      }
    })
  }

  await count('a revocation of one token', 50, async (units) => {
    const revoked = await portcullis.tokens(units)
    return async () => {
      for (const token of revoked) {
        await installation.api('/v1/revocations', { token, wait: 30_000 })
      }
    }
  })
})

/** Returns the lesser of each count. */
function least(one: Counts, other: Counts): Counts {
  return Object.fromEntries(
    Object.entries(other).map(([name, count]) => [name, Math.min(count, one[name] ?? count)]),
  )
}
