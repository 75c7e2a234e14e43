import t from 'tap'
import { auth } from '../../fixtures/auth.js'
import { hello, joined, node, nodeToken, revocations } from '../../fixtures/node.js'

t.test('a node that reconnects receives the events it missed, once and in order', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const first = await joined(t, self, 'node-1')
  const known = await revocations(self, admin, 2)
  t.same(await first.events(2), known)
  const cursor = first.cursor()
  first.socket.terminate()
  await first.closed
  const missed = await revocations(self, admin, 3)
  const back = await node(t, self, await nodeToken(self))
  back.send(hello('node-1', { cursor }))
  t.match(await back.welcome(), { cursor, resumed: true })
  const later = revocations(self, admin, 3)
  t.same(await back.events(6), [...missed, ...(await later)])
})

t.test('events committed during the backfill arrive once and in order', async (t) => {
  const self = await auth(t, { PARTITIONS: '3' })
  const admin = await self.token()
  const at = (await joined(t, self, 'starter')).cursor()
  const body = (n: number) => ({ identity: `i${n % 7}`, subject: `s${n}` })
  const commit = async (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      await self.api(admin, 'POST', '/v1/revocations', body(n))
    }
  }
  await commit(0, 40)
  const committing = Promise.all([commit(40, 70), commit(70, 100), commit(100, 120)])
  const nodes = await Promise.all(
    Array.from({ length: 8 }, async (_, n) => {
      const one = await node(t, self, await nodeToken(self))
      one.send(hello(`node-${n}`, { cursor: at }))
      t.match(await one.welcome(), { resumed: true })
      return one.events(120)
    }),
  )
  await committing
  const [ids = []] = nodes
  t.equal(new Set(ids).size, 120, 'no event arrives twice')
  for (const other of nodes) {
    t.same([...other].sort(), [...ids].sort(), 'no event is missing')
  }
  for (const partition of ['0', '1', '2']) {
    const of = (list: string[]) => list.filter((id) => id.startsWith(`${partition}-`))
    for (const other of nodes) {
      t.same(of(other), of(ids), `events of partition ${partition} arrive in the same order`)
    }
  }
})

t.test(
  'a node without a cursor, or with one that the feed cannot resume, starts at the end',
  async (t) => {
    const self = await auth(t, { FEED_MAX_LENGTH: '2' })
    const admin = await self.token()
    const before = await joined(t, self, 'before')
    await revocations(self, admin, 1)
    await before.events(1)
    const old = before.cursor()
    await revocations(self, admin, 400)
    const cursors = [undefined, '0-0', old, '9-9', '0-0,0-0', '999999-9999999999999']
    for (const [n, cursor] of cursors.entries()) {
      const one = await node(t, self, await nodeToken(self))
      one.send(hello(`node-${n}`, cursor === undefined ? {} : { cursor }))
      t.match(await one.welcome(), { resumed: false }, `${cursor}`)
      const [id] = await revocations(self, admin, 1)
      t.same(await one.events(1), [id])
      one.socket.terminate()
    }
  },
)
