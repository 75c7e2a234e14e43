import { authClient } from '@portcullis/backend'
import { connect } from '@portcullis/client'
import { dialWithHeader } from '@portcullis/client/node'
import { startInstallation } from '@portcullis/local'
import type { CDPSession, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { startChromium } from './chromium.js'
import { startSite } from './site.js'

const page = new URL('../../packages/react/test/page/page.tsx', import.meta.url)
const channel = 'chat:1'

/** Records the WebSockets that a page opens and closes, and the commands that it sends. */
function recordSockets(devtools: CDPSession) {
  const record = { opened: 0, closed: 0, commands: [] as string[] }
  devtools.on('Network.webSocketCreated', () => {
    record.opened += 1
  })
  devtools.on('Network.webSocketClosed', () => {
    record.closed += 1
  })
  devtools.on('Network.webSocketFrameSent', ({ response }) => {
    for (const line of response.payloadData.split('\n')) {
      const names = Object.keys(JSON.parse(line)).filter((name) => name !== 'id')
      record.commands.push(...names)
    }
  })
  return {
    opened: () => record.opened,
    closed: () => record.closed,
    /** Returns how often a command was sent. */
    count: (name: string) => record.commands.filter((each) => each === name).length,
  }
}

/** Starts an installation and opens the page as ada; bob is a client in Node. */
async function start(t: Test) {
  let shop: ReturnType<typeof authClient> | undefined
  const site = await startSite(() => shop?.issueToken({ subject: 'ada' }), page)
  t.teardown(() => site.close())
  const { auth, realtime, identityClient } = await startInstallation(t, {
    realtime: 1,
    env: {
      ALLOWED_ORIGINS: site.origin,
      NAMESPACES:
        '{"chat":{"historySize":10,"recovery":true,"presence":true,"joinLeave":true},"":{}}',
    },
  })
  const [node] = realtime
  const channels = ['subscribe', 'publish', 'presence', 'history'].map((verb) => `${verb}:chat:*`)
  const credentials = await identityClient('shop', ['tokens:issue', 'tokens:revoke', ...channels])
  shop = authClient({ authUrl: auth.url, credentials })

  const issuer = shop
  const bob = connect(node.wsUrl, {
    tokens: {
      get: async () => (await issuer.issueToken({ subject: 'bob' })).access_token,
    },
    dial: dialWithHeader(WebSocket),
  })
  t.teardown(() => bob.disconnect())
  const browser = await startChromium()
  t.teardown(() => browser.close())
  const tab = await browser.newPage()
  const devtools = await tab.context().newCDPSession(tab)
  await devtools.send('Network.enable')
  const sockets = recordSockets(devtools)
  const problems: string[] = []
  tab.on('pageerror', (error) => problems.push(error.message))
  await tab.goto(`${site.origin}/?node=${encodeURIComponent(node.wsUrl)}`)
  return { tab, bob, shop: issuer, site, sockets, problems }
}

/** Waits until an element of the page has exactly this text. */
const shows = (tab: Page, id: string, text: string) =>
  tab
    .locator(`#${id}`)
    .filter({ hasText: new RegExp(`^${text}$`) })
    .waitFor({ timeout: 15_000 })

const toggle = (tab: Page, name: string) => tab.locator(`#toggle-${name}`).click()

t.test('components in StrictMode share one socket, token request and subscription', async (t) => {
  const { tab, bob, site, sockets, problems } = await start(t)
  await shows(tab, 'status', 'connected')
  await shows(tab, 'first', 'subscribed')
  await shows(tab, 'second', 'subscribed')
  await bob.publish(channel, 'one')
  await shows(tab, 'first', 'subscribed one')
  await shows(tab, 'second', 'subscribed one')
  t.equal(sockets.opened(), 1)
  t.equal(site.tokenRequests(), 1)
  t.equal(sockets.count('subscribe'), 1)

  await toggle(tab, 'first')
  await bob.publish(channel, 'two')
  await shows(tab, 'second', 'subscribed one two')
  t.equal(sockets.count('unsubscribe'), 0, 'the second component still uses the channel')
  await toggle(tab, 'second')
  await toggle(tab, 'first')
  await shows(tab, 'first', 'subscribed')
  t.equal(sockets.count('unsubscribe'), 1, 'the last component ends the subscription')
  t.equal(sockets.count('subscribe'), 2)
  await bob.publish(channel, 'three')
  await shows(tab, 'first', 'subscribed three')

  await toggle(tab, 'refused')
  await shows(tab, 'refused', 'unsubscribed 103')
  await toggle(tab, 'provider')
  await toggle(tab, 'provider')
  await shows(tab, 'first', 'subscribed')
  t.equal(sockets.opened(), 2, 'a provider that is mounted again connects again')
  t.equal(sockets.closed(), 1, 'and has disconnected before')
  t.same(problems, [])
})

t.test('a list of presence and one of publications follow the channel', async (t) => {
  const { tab, bob, sockets, problems } = await start(t)
  await shows(tab, 'first', 'subscribed')
  for (const text of ['one', 'two', 'three', 'four']) {
    await bob.publish(channel, text)
  }
  await toggle(tab, 'past')
  await shows(tab, 'past', 'two three four')
  await bob.publish(channel, 'five')
  await shows(tab, 'past', 'three four five')
  t.equal(sockets.count('subscribe'), 1, 'the list shares the subscription')

  await toggle(tab, 'people')
  await shows(tab, 'people', 'ada')
  await bob.publish(channel, 'six')
  await shows(tab, 'first', 'subscribed one two three four five six')
  await shows(tab, 'past', 'four five six')
  t.equal(sockets.count('subscribe'), 2, 'begins anew for joins and leaves, and misses nothing')
  const room = bob.newSubscription(channel)
  room.subscribe()
  await shows(tab, 'people', 'ada bob')
  room.unsubscribe()
  await shows(tab, 'people', 'ada')
  t.same(problems, [])
})

t.test('a revoked user is told once, and nothing connects again', async (t) => {
  const { tab, shop, site, sockets, problems } = await start(t)
  await shows(tab, 'first', 'subscribed')
  t.match(await shop.revoke({ subject: 'ada' }), { complete: true })
  await shows(tab, 'status', 'disconnected revoked')
  await shows(tab, 'told', 'revoked')
  await toggle(tab, 'people')
  await toggle(tab, 'first')
  await shows(tab, 'told', 'revoked')
  t.equal(sockets.opened(), 1)
  t.equal(site.tokenRequests(), 1)
  t.same(problems, [])
})
