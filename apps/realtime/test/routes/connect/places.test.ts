import { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import t from 'tap'
import { Places } from '../../../src/routes/connect/places.js'

/** A refusal of an upgrade that may try again. */
const full = { statusCode: 503, code: 'node_full', headers: { 'retry-after': /^[1-5]$/ } }

/** Returns places of which each waiting upgrade waits for `maxWaitMs`. */
function placesOf({ maxAdmissions = 1, maxConnections = 1000, maxWaitMs = 60_000 } = {}): Places {
  return new Places({ open: () => 0, maxConnections, maxAdmissions, maxWaitMs })
}

/** Reserves a place that has to be waited for; emits `turn` with the name when it is there. */
function wait(places: Places, address: string, turns: EventEmitter, name: string): Socket {
  const socket = new Socket()
  void places.reserve(socket, address)?.then(() => turns.emit('turn', name, socket))
  return socket
}

t.test('an upgrade waits until another one is through', async (t) => {
  const places = placesOf()
  const first = new Socket()
  t.equal(places.reserve(first, 'a'), undefined, 'no wait')
  const second = places.reserve(new Socket(), 'a')
  t.type(second, Promise)
  places.release(first)
  await second
})

t.test('an upgrade whose turn does not come in time is refused', async (t) => {
  const places = placesOf({ maxWaitMs: 1 })
  const first = new Socket()
  places.reserve(first, 'a')
  await t.rejects(places.reserve(new Socket(), 'a') ?? Promise.resolve(), full)
  places.release(first)
  t.equal(places.reserve(new Socket(), 'a'), undefined, 'the refused one does not get the turn')
})

t.test('addresses take turns', async (t) => {
  const places = placesOf()
  const turns = new EventEmitter()
  const order: string[] = []
  turns.on('turn', (name: string, socket: Socket) => {
    order.push(name)
    places.release(socket)
  })
  const first = new Socket()
  places.reserve(first, 'busy')
  for (const name of ['busy 1', 'busy 2', 'busy 3']) {
    wait(places, 'busy', turns, name)
  }
  wait(places, 'quiet', turns, 'quiet 1')
  places.release(first)
  while (order.length < 4) {
    await new Promise(setImmediate)
  }
  t.strictSame(order, ['busy 1', 'quiet 1', 'busy 2', 'busy 3'])
})

t.test('one address cannot take all places to wait', async (t) => {
  const places = placesOf()
  places.reserve(new Socket(), 'busy')
  const turns = new EventEmitter()
  wait(places, 'quiet', turns, 'quiet 1')
  let waiting = 0
  t.throws(() => {
    for (; waiting < 16; waiting++) {
      wait(places, 'busy', turns, 'busy')
    }
  }, full)
  t.ok(waiting >= 7, `${waiting} of 16 places`)
  t.doesNotThrow(() => wait(places, 'quiet', turns, 'quiet 2'))
})

t.test('a closed socket gives its place and its turn to others', async (t) => {
  const places = placesOf()
  const first = new Socket()
  places.reserve(first, 'a')
  const gone = new Socket()
  const waiting = places.reserve(gone, 'a') ?? Promise.resolve()
  const next = places.reserve(new Socket(), 'a')
  gone.destroy()
  await t.rejects(waiting, full)
  first.destroy()
  await next
})

t.test('waiting upgrades count as connections', async (t) => {
  const places = placesOf({ maxConnections: 2 })
  places.reserve(new Socket(), 'a')
  void places.reserve(new Socket(), 'a')
  t.throws(() => places.reserve(new Socket(), 'b'), full)
})

t.test('keeps no listener on the socket of an accepted upgrade', async (t) => {
  const places = placesOf()
  const socket = new Socket()
  places.reserve(socket, 'a')
  t.equal(socket.listenerCount('close'), 1)
  places.release(socket)
  t.equal(socket.listenerCount('close'), 0)
})
