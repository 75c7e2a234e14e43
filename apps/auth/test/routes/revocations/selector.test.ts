import type { Revoke } from '@portcullis/contracts/revocations'
import Fastify from 'fastify'
import t from 'tap'
import { selectorOf } from '../../../src/routes/revocations/selector.js'
import { jwt } from '../../../src/tokens/jwt.js'
import { keySet, testKey } from '../../fixtures/forge.js'

const jti = '0-AAAAAAAAAAAAAAAAAAAAAA'

t.test('accepts exactly one selector', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const keys = keySet(testKey('key-1'))
  await app.register(jwt, { keys, issuer: 'http://issuer', audience: 'portcullis' })
  const { tokens } = app
  t.same(selectorOf(tokens, { token: jti, reason: 'stolen', wait: 500 }), { jti })
  t.same(selectorOf(tokens, { token: jti, cascade: true }), { jti, cascade: true })
  t.same(selectorOf(tokens, { jti }), { jti })
  t.same(selectorOf(tokens, { jti, cascade: true }), { jti, cascade: true })
  t.same(selectorOf(tokens, { identity: 'shop', label: 'device:phone', dryRun: true }), {
    identity: 'shop',
    label: 'device:phone',
  })
  const rejected: [body: Revoke, why: string][] = [
    [{}, 'no selector'],
    [{ subject: 'ada' }, 'a subject without its identity'],
    [{ token: jti, identity: 'shop' }, 'two selectors'],
    [{ token: jti, jti }, 'a token twice'],
    [{ identity: 'shop', subject: 'ada', label: 'l' }, 'a subject and a label'],
    [{ identity: 'shop', cascade: true }, 'cascade without a token'],
  ]
  for (const [body, why] of rejected) {
    t.throws(() => selectorOf(tokens, body), { code: 'invalid_request' }, `rejects ${why}`)
  }
})
