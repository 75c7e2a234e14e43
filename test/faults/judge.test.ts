import t from 'tap'
import { judge, type Witness } from './judge.js'

const witness = (name: string, record: Partial<Witness> = {}): Witness => ({
  name,
  messages: [],
  heard: [],
  said: [],
  end: { at: 99, code: 4500 },
  ...record,
})
const said = (...times: number[]) => times.map((at, index) => ({ n: index + 1, at }))
const revoked = (...covers: Witness[]) => [{ covers, answeringSince: 0, completeAt: 100 }]
const leaseMs = 2000

t.test('finds nothing where nothing is wrong', async (t) => {
  const ada = witness('ada', { messages: [{ at: 98, text: 'x' }], said: said(90, 101) })
  const bob = witness('bob', { messages: [{ at: 200, text: 'x' }] })
  const heard = witness('carol', { heard: [{ from: 'ada', n: 1, at: 103 }] })
  t.same(judge({ clients: [ada, bob, heard], revocations: revoked(ada), leaseMs }), [])
})

t.test('finds a message to a covered client', async (t) => {
  const ada = witness('ada', { messages: [{ at: 100.5, text: 'x' }] })
  t.same(judge({ clients: [ada], revocations: revoked(ada), leaseMs }), [
    'ada was sent x, 0.5 ms after the receipt was complete',
  ])
})

t.test('finds what a covered client could still say, whoever heard it', async (t) => {
  const ada = witness('ada', { said: said(90, 101) })
  const bob = witness('bob', { heard: [{ from: 'ada', n: 2, at: 103 }] })
  t.same(judge({ clients: [ada, bob], revocations: revoked(ada), leaseMs }), [
    'ada said 2 to bob, 3.0 ms after the receipt was complete',
  ])
})

t.test('finds a covered socket that was not closed', async (t) => {
  const ada = witness('ada', { end: undefined })
  t.same(judge({ clients: [ada], revocations: revoked(ada), leaseMs }), [
    'ada is covered and not closed',
  ])
})

t.test('finds a receipt that came too late, or never', async (t) => {
  const late = { covers: [], answeringSince: 0, completeAt: 3001 }
  const never = { covers: [], answeringSince: 0, completeAt: undefined }
  t.same(judge({ clients: [], revocations: [late, never], leaseMs }), [
    'a receipt took 3001 ms; the lease is 2000 ms',
    'a receipt was never complete',
  ])
})
