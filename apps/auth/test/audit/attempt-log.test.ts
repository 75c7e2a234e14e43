import t from 'tap'
import { openAttemptLog } from '../../src/audit/attempt-log.js'
import type { AuditRecord } from '../../src/registry/index.js'

t.test('writes the first attempt of a group, and one entry with the count of the others', (t) => {
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
    'the first of each group at once, with all fields',
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
    add('10.0.0.1', `name-${n}`)
  }
  t.equal(take().length, 3, 'two names of one network make groups of their own')
  for (let n = 0; n < 1000; n += 1) {
    add(`10.0.1.${n}`)
  }
  t.equal(take().length, 3, 'networks make groups up to maxGroups')
  attempts.flush()
  const counts = take()
  t.match(counts, [{ address: '10.0.0.1', count: 997 }, { count: 997 }])
  t.notHas(counts[0], 'actor')
  t.notHas(counts[1], 'address')
  attempts.flush()
  t.same(take(), [], 'no count is written twice')
  t.end()
})
