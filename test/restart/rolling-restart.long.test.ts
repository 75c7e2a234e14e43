import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { Stage } from '../bench/stage.js'
import { judge } from './judge.js'
import { startOfficialClients } from './official-clients.js'
import { Publisher } from './publisher.js'
import type { Journal } from './recovering-client.js'
import { spread } from './spread.js'
import { startSwarms } from './start-swarms.js'

/** Many machines' work on one that has other work: it may be slow. */
t.setTimeout(600_000)

/** How many, in two processes; `RESTART_CLIENTS` for another number, a multiple of 100. */
const clients = Number(process.env['RESTART_CLIENTS'] ?? 5000)
const officialClients = 48
const channels = Array.from({ length: 50 }, (_, index) => `kept:${index}`)
const settings = {
  NAMESPACES: JSON.stringify({ kept: { historySize: 2000, recovery: true } }),
  LOG_LEVEL: 'warn',
  CLOSE_DEADLINE_MS: '8000',
}

t.test(
  'a rolling restart of four nodes loses no publication of a channel that recovers',
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
      paceMs: 20,
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
    t.comment(`everyone has everything ${since(settling)} after the last publication`)

    const { heard, journal } = await swarm.judge(acknowledged)
    t.comment(`${publisher.count} publications, heard ${heard} times by ${clients} clients`)
    for (const line of told(journal)) {
      t.comment(line)
    }
    const away = officials.flatMap(({ awayMs }) => awayMs)
    t.comment(`official clients: ${away.length} reconnects; away for ${spread(away)}`)

    t.same(
      journal.faults,
      [],
      'each acknowledged publication once, in order, and nothing else amiss',
    )
    t.equal(heard, publisher.count * (clients / channels.length))
    t.ok(journal.back.length >= clients, 'each client was sent away about once, or more often')
    const cut = journal.closed.filter(({ code }) => code !== 3001)
    t.ok(cut.length <= journal.closed.length / 10, 'closed with 3001')
    // On a machine with far too much to do a node may come to its deadline.
    t.ok(
      cut.every(({ code }) => code === 1006),
      'or cut at the deadline',
    )
    t.same(
      officials.flatMap(({ channel, heard, lost }) => [
        ...judge(heard, new Map(acknowledged[channel])),
        ...(lost === 0 ? [] : [`${channel}: lost ${lost} times`]),
      ]),
      [],
      'the same for the official clients',
    )
    const refusals = [...journal.refusals, ...publisher.refusals]
    t.comment(`${journal.refusals.length} upgrades and ${publisher.refusals.length} calls refused`)
    t.ok(refusals.length > 0, 'some came to a node that was closing')
    t.ok(
      refusals.every(
        ({ status, retryAfter }) => status === 503 && /^[1-9]$/.test(retryAfter ?? ''),
      ),
    )
  },
)

/** How it went for the clients, in words. */
function told({ closed, back, unreachable }: Journal): string[] {
  const times = closed.map(({ at }) => at)
  const awayMs = back.map(({ awayMs }) => awayMs)
  return [
    `${back.length} reconnects; away for ${spread(awayMs)}; ${unreachable} dials that nobody answered`,
    `closed in the busiest second: ${busiest(times, 1000)}; back in the busiest second: ${busiest(
      back.map(({ at }) => at),
      1000,
    )}`,
  ]
}

/** The most that fall into a time as long as this. */
function busiest(times: readonly number[], withinMs: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  let from = 0
  let most = 0
  for (const [at, time] of sorted.entries()) {
    while (time - (sorted[from] ?? time) >= withinMs) {
      from += 1
    }
    most = Math.max(most, at - from + 1)
  }
  return most
}

function since(start: number, end = performance.now()): string {
  return `${((end - start) / 1000).toFixed(1)} s`
}
