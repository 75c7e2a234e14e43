/// <reference lib="dom" />
/** Runs in the browser: an application's page that uses the client package. */
import { connect, tokenSource } from '@portcullis/client'

const query = new URLSearchParams(location.search)
const tokens = tokenSource({ url: '/token' })
const centrifuge = connect(query.get('node') ?? '', { tokens })
const show = (line: string) => {
  const item = document.createElement('li')
  item.textContent = line
  document.querySelector('ul')?.append(item)
}
centrifuge.on('connected', () => show('connected'))
centrifuge.on('disconnected', ({ code, reason }) => show(`disconnected ${code} ${reason}`))
const channel = centrifuge.newSubscription('news')
channel.on('subscribed', () => show('subscribed'))
channel.on('publication', ({ data }) => show(`publication ${JSON.stringify(data)}`))
channel.subscribe()
