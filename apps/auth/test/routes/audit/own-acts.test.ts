import { randomBytes } from 'node:crypto'
import t from 'tap'
import { auth } from '../../fixtures/auth.js'
import { ageKeys } from '../../keys/fixtures/key-sets.js'

const dayMs = 24 * 60 * 60 * 1000

t.test('records the acts of auth itself without an actor', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  /** Returns acts without their ids and times, oldest first. */
  const acts = async (query: string) => {
    const answer = await self.api(admin, 'GET', `/v1/audit?after=0.0&${query}`)
    return answer
      .json()
      .entries.map(({ id: _id, at: _at, ...act }: { id: string; at: number }) => act)
  }
  const registered = {
    action: 'identity.register',
    result: 'ok',
    target: { identity: 'admin' },
    detail: { scopes: 'admin', cause: 'start' },
  }
  t.same(await acts('identity=admin'), [registered])

  await self.another()
  t.equal(
    (await acts('identity=admin')).length,
    1,
    'records nothing for a start that changes nothing',
  )
  await self.another({ ADMIN_REGISTRATION_CODE: randomBytes(32).toString('base64url') })
  const { registrationCodes } = (await self.api(admin, 'GET', '/v1/identities/admin')).json()
  const added = {
    action: 'code.add',
    result: 'ok',
    target: { identity: 'admin', code: registrationCodes[1].id },
    detail: { cause: 'start' },
  }
  t.same(await acts('identity=admin'), [registered, added])

  const { redis, keys } = self.app.registry
  const next = self.app.tokens.keys.list()[0]?.kid
  await ageKeys(redis, keys.signingKeyStates, 91 * dayMs)
  // Announce a change as another instance would, so that all three look at once.
  await redis.publish(keys.keyNews, '')
  t.same(await acts('action=key&wait=60000'), [
    {
      action: 'key.rotate',
      result: 'ok',
      target: { key: next },
      detail: { cause: 'schedule' },
    },
  ])
})
