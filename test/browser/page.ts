/// <reference lib="dom" />
/** Runs in the browser: an application's page that uses the client package. */
import { connect, tokenSource } from '@portcullis/client'
import { Centrifuge, type TransportName } from 'centrifuge'

const query = new URLSearchParams(location.search)
const node = query.get('node') ?? ''
const stream = query.get('stream')
const centrifuge =
  stream === null
    ? connect(node, {
        tokens: tokenSource({ url: '/token' }),
        onSignedOut: ({ reason }) => show(`signed out ${reason}`),
      })
    : fallBackTo(stream === 'sse' ? 'sse' : 'http_stream')

/** Connects as a page does whose network blocks WebSockets: nothing answers at their address. */
function fallBackTo(transport: TransportName): Centrifuge {
  return new Centrifuge(
    [
      { transport: 'websocket', endpoint: 'ws://127.0.0.1:1' },
      { transport, endpoint: `${node}/connection/${transport}` },
    ],
    {
      emulationEndpoint: `${query.get('commands')}/emulation`,
      getToken: async () => (await (await fetch('/token', { method: 'POST' })).json()).access_token,
    },
  )
}

const show = (line: string) => {
  const item = document.createElement('li')
  item.textContent = line
  document.querySelector('ul')?.append(item)
}
centrifuge.on('connected', () => show('connected'))
centrifuge.on('disconnected', ({ code, reason }) => show(`disconnected ${code} ${reason}`))
centrifuge.on('error', ({ error }) => show(`error ${error.code} ${error.message}`))
const channel = centrifuge.newSubscription('news')
channel.on('subscribed', () => show('subscribed'))
channel.on('publication', ({ data }) => show(`publication ${JSON.stringify(data)}`))
channel.subscribe()
centrifuge.connect()
