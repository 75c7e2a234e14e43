import t from 'tap'
import { openAttemptLog } from '../../src/audit/attempt-log.js'
import { openAuditLog } from '../../src/audit/audit-log.js'
import type { AuditRecord } from '../../src/registry/index.js'

function record(requestId: string): AuditRecord {
  return { action: 'code.add', result: 'ok', status: 201, address: '127.0.0.1', requestId }
}

t.test('entries of one tick go together, each to its partition, in their order', async (t) => {
  const sent: [number, string[]][] = []
  const log = openAuditLog({
    append: async (partition, records) => {
      sent.push([partition, records.map(({ requestId = '' }) => requestId)])
    },
    partitionOf: ({ requestId }) => Number(requestId) % 2,
    onLost: () => t.fail('nothing is lost'),
  })
  for (const n of ['0', '1', '2', '3']) {
    void log.add(record(n))
  }
  await log.settled()
  await log.add(record('4'))
  t.same(sent, [
    [0, ['0', '2']],
    [1, ['1', '3']],
    [0, ['4']],
  ])
})

t.test('what Redis does not take is handed over whole, and rejects nobody', async (t) => {
  const lost: [string[], unknown][] = []
  let fails = true
  const log = openAuditLog({
    append: async () => {
      if (fails) {
        throw new Error('away')
      }
    },
    partitionOf: () => 0,
    onLost: (records, cause) => lost.push([records.map(({ requestId = '' }) => requestId), cause]),
    maxWaiting: 3,
  })
  for (const n of ['0', '1', '2', '3']) {
    void log.add(record(n))
  }
  t.match(lost, [[['3'], { message: '3 entries wait for Redis' }]], 'no more than so many wait')
  await log.settled()
  t.match(lost[1], [['0', '1', '2'], { message: 'away' }])
  fails = false
  await log.add(record('4'))
  t.equal(lost.length, 2, 'and afterwards there is room again')
})

t.test('attempts of a kind are one entry, and one more with their number', (t) => {
  const written: AuditRecord[] = []
  const attempts = openAttemptLog({
    log: {
      add: async (entry) => {
        written.push(entry)
      },
    },
    maxNames: 2,
    maxGroups: 5,
  })
  t.teardown(() => attempts.close())
  const attempt = (network: string, name?: string, error = 'invalid_client'): AuditRecord => ({
    action: 'token.issue',
    result: 'refused',
    status: 401,
    error,
    ...(name === undefined ? {} : { actor: { identity: name, claimed: true as const } }),
    address: network,
    requestId: `${network} ${name}`,
  })
  const add = (network: string, name?: string, error?: string) =>
    attempts.add(attempt(network, name, error), network)
  const take = () => written.splice(0)

  for (let n = 0; n < 100; n += 1) {
    add('10.0.0.1', 'shop')
  }
  add('10.0.0.2', 'shop')
  add('10.0.0.1', 'shop', 'too_many_requests')
  t.same(
    take(),
    [
      attempt('10.0.0.1', 'shop'),
      attempt('10.0.0.2', 'shop'),
      attempt('10.0.0.1', 'shop', 'too_many_requests'),
    ],
    'the first of each kind at once, and whole',
  )
  attempts.flush()
  t.same(take(), [
    {
      action: 'token.issue',
      result: 'refused',
      status: 401,
      error: 'invalid_client',
      actor: { identity: 'shop', claimed: true },
      address: '10.0.0.1',
      count: 99,
    },
  ])

  for (let n = 0; n < 1000; n += 1) {
    add('10.0.0.1', `nobody-${n}`)
  }
  t.equal(take().length, 3, 'of many names of one network two are told apart')
  for (let n = 0; n < 1000; n += 1) {
    add(`10.0.1.${n}`)
  }
  t.equal(take().length, 3, 'and of many networks as many as there is room for')
  attempts.flush()
  const counts = take()
  t.match(counts, [{ address: '10.0.0.1', count: 997 }, { count: 997 }])
  t.notHas(counts[0], 'actor')
  t.notHas(counts[1], 'address')
  attempts.flush()
  t.same(take(), [], 'nothing is written twice')
  t.end()
})
