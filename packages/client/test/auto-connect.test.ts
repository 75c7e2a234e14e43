import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { connect } from '../src/connect.js'
import { dialWithHeader } from '../src/node.js'
import { fixedToken } from '../src/token-source.js'

const url = 'ws://127.0.0.1:1/connection/websocket'
const tokens = fixedToken('x')

/** Replaces the global WebSocket class, and counts its sockets. */
function interceptWebSocket(t: Test) {
  const dialed: string[] = []
  class Recorded extends EventTarget {
    constructor(url: string) {
      super()
      dialed.push(url)
    }
    send(): void {}
    close(): void {}
  }
  t.intercept(globalThis, 'WebSocket', { value: Recorded })
  return dialed
}

t.test('connects by itself in a browser, in a worker of one, and in React Native', async (t) => {
  for (const [name, value] of [
    ['document', {}],
    ['importScripts', () => undefined],
    ['navigator', { product: 'ReactNative' }],
  ] as const) {
    await t.test(name, async (t) => {
      interceptWebSocket(t)
      t.intercept(globalThis, name as keyof typeof globalThis, { value })
      const centrifuge = connect(url, { tokens })
      t.equal(centrifuge.state, 'connecting')
      centrifuge.disconnect()
    })
  }
})

t.test('does not connect on a server, with a global WebSocket or without', async (t) => {
  const dialed = interceptWebSocket(t)
  t.equal(connect(url, { tokens }).state, 'disconnected')
  t.intercept(globalThis, 'WebSocket', { value: undefined })
  t.equal(connect(url, { tokens }).state, 'disconnected')
  t.same(dialed, [])
})

t.test('connects on a server when it is told to, by `autoConnect` or `dial`', async (t) => {
  interceptWebSocket(t)
  for (const options of [{ autoConnect: true }, { dial: dialWithHeader(WebSocket) }]) {
    const centrifuge = connect(url, { tokens, ...options })
    t.equal(centrifuge.state, 'connecting')
    centrifuge.disconnect()
  }
})

t.test('does not connect in a browser when `autoConnect` is false', async (t) => {
  interceptWebSocket(t)
  t.intercept(globalThis, 'document', { value: {} as Document })
  t.equal(connect(url, { tokens, autoConnect: false }).state, 'disconnected')
})

t.test('throws an error that names `dial` when told to connect without a WebSocket class', (t) => {
  t.intercept(globalThis, 'WebSocket', { value: undefined })
  t.throws(() => connect(url, { tokens, autoConnect: true }), /pass `dial`/)
  t.end()
})
