import { RegistryReport } from '@portcullis/contracts/registry'
import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { auth } from '../../fixtures/auth.js'

t.test('returns the settings of the registry and its Redis', async (t) => {
  const self = await auth(t, { LEASE_MS: '5000', REVOCATION_REPLICAS: '2' })
  const answer = await self.api(await self.tokenWith('nodes:read'), 'GET', '/v1/registry')
  t.equal(answer.statusCode, 200)
  const report = answer.json()
  t.ok(Value.Check(RegistryReport, report), answer.body)
  t.match(report, {
    cluster: false,
    partitions: 1,
    leaseMs: 5000,
    revocationReplicas: 2,
    servers: [{ answers: true, role: 'master', settings: { appendonly: /yes|no/ } }],
  })
  t.notMatch(answer.body, self.prefix)
})

t.test('requires the scope nodes:read', async (t) => {
  const self = await auth(t)
  t.equal((await self.api(undefined, 'GET', '/v1/registry')).statusCode, 401)
  const token = await self.tokenWith('identities:read', 'tokens:read')
  t.equal((await self.api(token, 'GET', '/v1/registry')).statusCode, 403)
})
