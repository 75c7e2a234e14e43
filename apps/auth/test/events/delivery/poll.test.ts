import { once } from 'node:events'
import { type PolledEvents, pollMethod } from '@portcullis/contracts/event-receivers'
import t from 'tap'
import { type Auth, auth } from '../../fixtures/auth.js'
import { listen } from '../../fixtures/node.js'
import { progress, receiver, revoked, verified } from '../../fixtures/receiver.js'

/** Adds a receiver that polls with an identity of its own. */
async function polling(self: Auth) {
  const { identity, registrationCode } = await self.identity(['events:read'])
  const { id, delivery } = await receiver(self, { method: pollMethod }, { identity })
  const credentials = { identity, registrationCode }
  const path = new URL(delivery.endpoint_url).pathname
  return {
    id,
    path,
    credentials,
    async poll(body: object, through = self): Promise<PolledEvents> {
      // A new token each time: an older one may have been revoked by the test.
      const answer = await through.api(await self.token(credentials), 'POST', path, body)
      if (answer.statusCode !== 200) {
        throw new Error(answer.body)
      }
      return answer.json()
    },
  }
}

const now = { returnImmediately: true }

t.test('returns events again until they are acknowledged', async (t) => {
  const self = await auth(t)
  const { id, poll } = await polling(self)
  t.same(await poll(now), { sets: {} })
  const txns = []
  for (const subject of ['ann', 'bob', 'eve']) {
    txns.push(await revoked(self, { identity: 'admin', subject }))
  }
  const [first, second, third] = txns.map((txn) => `${txn}.${id}`)
  const two = await poll({ ...now, maxEvents: 2 })
  t.same(Object.keys(two.sets), [first, second])
  t.equal(two.moreAvailable, true)
  for (const [jti, event] of Object.entries(two.sets)) {
    t.equal((await verified(self, event)).payload.jti, jti)
  }
  const all = await poll(now)
  t.same(Object.keys(all.sets), [first, second, third])
  t.equal(all.moreAvailable, undefined)

  const left = await poll({
    ...now,
    ack: [first, 'unknown'],
    setErrs: { [String(second)]: { err: 'invalid_audience', description: 'not mine' } },
  })
  t.same(Object.keys(left.sets), [third])
  t.same(
    await poll({ maxEvents: 0, ack: [third] }),
    { sets: {} },
    'acknowledges without taking events',
  )
  t.same(await poll(now), { sets: {} })
  t.match(await progress(self, id), {
    pending: 0,
    delivered: 2,
    refused: 1,
    lastFailure: { error: 'answered invalid_audience' },
  })
})

t.test('a poll waits for an event of any instance, until its time is over', async (t) => {
  const self = await auth(t)
  const other = await self.another({ EVENT_POLL_WAIT_MS: '1' })
  const { poll, id } = await polling(self)
  t.same(await poll({}, other), { sets: {} }, 'its time is over')
  const waiting = poll({})
  const txn = await revoked(other, { identity: 'admin', subject: 'ann' })
  t.same(Object.keys((await waiting).sets), [`${txn}.${id}`])
})

t.test(
  'a closed connection and closing auth end a wait, and the number of waits is bounded',
  async (t) => {
    const self = await auth(t, { EVENT_POLL_WAIT_MS: '600000' })
    const { id, path, credentials } = await polling(self)
    const { eventPoller, registry } = self.app
    const caller = { act: <R>(work: (of: typeof registry) => Promise<R>) => work(registry) }
    const gone = new AbortController()
    const abandoned = eventPoller.poll(id, {}, caller, gone.signal)
    gone.abort()
    t.same(await abandoned, { sets: {} })

    const four = [1, 2, 3, 4].map(() =>
      eventPoller.poll(id, {}, caller, new AbortController().signal),
    )
    t.same(
      await eventPoller.poll(id, {}, caller, new AbortController().signal),
      { sets: {} },
      'the fifth does not wait',
    )
    const token = await self.token(credentials)
    const url = `${await listen(self)}${path}`
    const came = once(self.app.server, 'request')
    const answer = fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{}',
    })
    await came
    await self.app.close()
    t.same(
      await Promise.all(four),
      [1, 2, 3, 4].map(() => ({ sets: {} })),
    )
    t.same(await (await answer).json(), { sets: {} })
  },
)

t.test('returns no events while paused, and refuses polls of a push receiver', async (t) => {
  const self = await auth(t)
  const { poll, id, path, credentials } = await polling(self)
  await revoked(self, { identity: 'admin', subject: 'ann' })
  const change = async (body: object) =>
    (await self.api(await self.token(), 'PATCH', `/v1/event-receivers/${id}`, body)).statusCode
  await change({ status: 'paused' })
  t.same(await poll(now), { sets: {} })
  await change({ status: 'enabled' })
  t.equal(Object.keys((await poll(now)).sets).length, 1)
  await change({ delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: 'https://[100::]/' } })
  const answer = await self.api(await self.token(credentials), 'POST', path, now)
  t.equal(answer.statusCode, 400)
  t.match(answer.json().detail, /pushed/)
})

t.test('only the identity of a receiver may poll, not even the administrator', async (t) => {
  const self = await auth(t)
  const { path, credentials } = await polling(self)
  const stranger = await self.tokenWith('events:read')
  const cases = [
    [undefined, 401],
    [await self.tokenWith('feed'), 403],
    [stranger, 404],
    [await self.token(), 404],
    [await self.token(credentials), 200],
  ] as const
  for (const [token, status] of cases) {
    t.equal((await self.api(token, 'POST', path, now)).statusCode, status)
  }
  const receiverPath = path.replace('/poll', '')
  t.equal((await self.api(stranger, 'GET', receiverPath)).statusCode, 404)
  t.equal((await self.api(stranger, 'POST', `${receiverPath}/verify`, {})).statusCode, 404)
  t.equal((await self.api(await self.token(credentials), 'GET', receiverPath)).statusCode, 200)
})
