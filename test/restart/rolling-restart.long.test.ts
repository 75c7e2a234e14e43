import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { Stage } from '../bench/stage.js'
import { judge } from './judge.js'
import { startOfficialClients } from './official-clients.js'
import { Publisher } from './publisher.js'
import type { Journal } from './recovering-client.js'
import { spread } from './spread.js'
import { startSwarms } from './start-swarms.js'

/** The work of many machines on one, which may be busy. */
t.setTimeout(600_000)

/** Number of clients, in two processes; `RESTART_CLIENTS` sets another multiple of 100. */
const clients = Number(process.env['RESTART_CLIENTS'] ?? 5000)
const officialClients = 48
const channels = Array.from({ length: 50 }, (_, index) => `kept:${index}`)
const settings = {
  NAMESPACES: JSON.stringify({ kept: { historySize: 2000, recovery: true } }),
  LOG_LEVEL: 'warn',
  CLOSE_DEADLINE_MS: '8000',
}

t.test(
  'a rolling restart of four nodes loses no publication of a channel with recovery',
  async (t) => {
    const { realtime, userToken } = await startInstallation(t, { realtime: 4, env: settings })
    const wsUrls = realtime.map(({ wsUrl }) => wsUrl)
    const tokens = await Promise.all(
      Array.from({ length: 200 }, (_, user) => userToken(`user-${user}`, 'subscribe:*')),
    ).then((answers) => answers.map(({ access_token }) => access_token))

    const stage = new Stage()
    t.teardown(() => stage.close())
    const began = performance.now()
    const [swarm, officials] = await Promise.all([
      startSwarms(stage, { processes: 2, count: clients, urls: wsUrls, tokens, channels }),
      startOfficialClients(t, {
        urls: wsUrls,
        token: tokens[0] ?? '',
        channels,
        count: officialClients,
      }),
    ])
    t.comment(`${clients} clients and ${officialClients} official ones in ${since(began)}`)

    const backend = await userToken('backend', 'publish:* server')
    const publisher = new Publisher({
      urls: realtime.map(({ url }) => url),
      token: backend.access_token,
      channels,
      intervalMs: 20,
    })
    t.teardown(() => publisher.stop())
    for (const node of realtime) {
      const asked = performance.now()
      t.equal(await node.end(), 'exit code 0')
      const ended = performance.now()
      await node.restart()
      t.comment(`drained in ${since(asked, ended)}, started in ${since(ended)}`)
    }
    await publisher.stop()
    const { acknowledged } = publisher
    const settling = performance.now()
    await Promise.all([
      swarm.settle(acknowledged),
      ...officials.map(({ channel, settled }) => settled(acknowledged[channel]?.length ?? 0)),
    ])
    t.comment(`every client has every publication ${since(settling)} after the last one`)

    const { received, journal } = await swarm.judge(acknowledged)
    t.comment(`${publisher.count} publications, received ${received} times by ${clients} clients`)
    for (const line of summary(journal)) {
      t.comment(line)
    }
    const away = officials.flatMap(({ awayMs }) => awayMs)
    t.comment(`official clients: ${away.length} reconnects; away for ${spread(away)}`)

    t.same(
      journal.faults,
      [],
      'each acknowledged publication arrives once, in order, without other faults',
    )
    t.equal(received, publisher.count * (clients / channels.length))
    t.ok(
      journal.resubscribed.length >= clients,
      'each client reconnected about once, or more often',
    )
    const cut = journal.closed.filter(({ code }) => code !== 3001)
    t.ok(cut.length <= journal.closed.length / 10, 'closed with 3001')
    // On an overloaded machine a node may reach its close deadline.
    t.ok(
      cut.every(({ code }) => code === 1006),
      'or cut at the deadline',
    )
    t.same(
      officials.flatMap(({ channel, received, lost }) => [
        ...judge(received, new Map(acknowledged[channel])),
        ...(lost === 0 ? [] : [`${channel}: lost ${lost} times`]),
      ]),
      [],
      'the same for the official clients',
    )
    const refusals = [...journal.refusals, ...publisher.refusals]
    t.comment(`${journal.refusals.length} upgrades and ${publisher.refusals.length} calls refused`)
    t.ok(refusals.length > 0, 'some requests reached a closing node')
    t.ok(
      refusals.every(
        ({ status, retryAfter }) => status === 503 && /^[1-9]$/.test(retryAfter ?? ''),
      ),
    )
  },
)

/** Returns lines that describe the reconnects. */
function summary({ closed, resubscribed, unreachable }: Journal): string[] {
  const times = closed.map(({ at }) => at)
  const awayMs = resubscribed.map(({ awayMs }) => awayMs)
  return [
    `${resubscribed.length} reconnects; away for ${spread(awayMs)}; ${unreachable} connection attempts without a response`,
    `closed in the busiest second: ${busiest(times, 1000)}; back in the busiest second: ${busiest(
      resubscribed.map(({ at }) => at),
      1000,
    )}`,
  ]
}

/** Returns the largest number of times within any period of `withinMs`. */
function busiest(times: readonly number[], withinMs: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  let from = 0
  let max = 0
  for (const [at, time] of sorted.entries()) {
    while (time - (sorted[from] ?? time) >= withinMs) {
      from += 1
    }
    max = Math.max(max, at - from + 1)
  }
  return max
}

function since(start: number, end = performance.now()): string {
  return `${((end - start) / 1000).toFixed(1)} s`
}
