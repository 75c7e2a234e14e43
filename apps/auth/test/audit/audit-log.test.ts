import t from 'tap'
import { openAuditLog } from '../../src/audit/audit-log.js'
import type { AuditRecord } from '../../src/registry/index.js'

function record(requestId: string): AuditRecord {
  return { action: 'code.add', result: 'ok', status: 201, address: '127.0.0.1', requestId }
}

t.test('entries of one tick are sent together, in order, to their partitions', async (t) => {
  const sent: [number, string[]][] = []
  const log = openAuditLog({
    append: async (partition, records) => {
      sent.push([partition, records.map(({ requestId = '' }) => requestId)])
    },
    partitionOf: ({ requestId }) => Number(requestId) % 2,
    onLost: () => t.fail('an entry was lost'),
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

t.test('entries that Redis does not take are passed to onLost, and add() resolves', async (t) => {
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
  t.match(
    lost,
    [[['3'], { message: '3 entries wait for Redis' }]],
    'no more than maxWaiting entries wait',
  )
  await log.settled()
  t.match(lost[1], [['0', '1', '2'], { message: 'away' }])
  fails = false
  await log.add(record('4'))
  t.equal(lost.length, 2, 'later entries are written')
})
