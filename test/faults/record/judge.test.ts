import t from 'tap'
import { judge, type Witness } from './judge.js'

const witness = (name: string, record: Partial<Witness> = {}): Witness => ({
  name,
  messages: [],
  received: [],
  sent: [],
  end: { at: 99, code: 4500 },
  ...record,
})
const sent = (...times: number[]) => times.map((at, index) => ({ n: index + 1, at }))
const revoked = (...covers: Witness[]) => [{ covers, answeringSince: 0, completeAt: 100 }]
const leaseMs = 2000

t.test('accepts a record without violations', async (t) => {
  const ada = witness('ada', { messages: [{ at: 98, text: 'x' }], sent: sent(90, 101) })
  const bob = witness('bob', { messages: [{ at: 200, text: 'x' }] })
  const carol = witness('carol', { received: [{ from: 'ada', n: 1, at: 103 }] })
  t.same(judge({ clients: [ada, bob, carol], revocations: revoked(ada), leaseMs }), [])
})

t.test('finds a message to a covered client', async (t) => {
  const ada = witness('ada', { messages: [{ at: 100.5, text: 'x' }] })
  t.same(judge({ clients: [ada], revocations: revoked(ada), leaseMs }), [
    'ada received x, 0.5 ms after the receipt was complete',
  ])
})

t.test('finds a publication of a covered client', async (t) => {
  const ada = witness('ada', { sent: sent(90, 101) })
  const bob = witness('bob', { received: [{ from: 'ada', n: 2, at: 103 }] })
  t.same(judge({ clients: [ada, bob], revocations: revoked(ada), leaseMs }), [
    'publication 2 of ada reached bob, 3.0 ms after the receipt was complete',
  ])
})

t.test('finds a covered socket that was not closed', async (t) => {
  const ada = witness('ada', { end: undefined })
  t.same(judge({ clients: [ada], revocations: revoked(ada), leaseMs }), [
    'ada is covered but not closed',
  ])
})

t.test('finds a receipt that was complete too late, or never', async (t) => {
  const late = { covers: [], answeringSince: 0, completeAt: 3001 }
  const never = { covers: [], answeringSince: 0, completeAt: undefined }
  t.same(judge({ clients: [], revocations: [late, never], leaseMs }), [
    'a receipt took 3001 ms; the lease is 2000 ms',
    'a receipt was never complete',
  ])
})
