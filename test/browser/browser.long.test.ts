import { type IdentityClient, startInstallation } from '@portcullis/local'
import t from 'tap'
import { startChromium } from './chromium.js'
import { startSite } from './site.js'

t.test(
  'a page in Chromium connects with a subprotocol token, receives publications, and is closed when revoked',
  async (t) => {
    let shop: IdentityClient | undefined
    const site = await startSite(async () => {
      const issued = await shop?.api('POST', '/v1/tokens', { subject: 'ada' })
      return issued?.body
    })
    t.teardown(() => site.close())
    const { realtime, api, identityClient } = await startInstallation(t, {
      realtime: 2,
      env: { ALLOWED_ORIGINS: site.origin },
    })
    const [here, there] = realtime
    shop = await identityClient('shop', ['tokens:issue', 'subscribe:*', 'publish:*'])
    const browser = await startChromium()
    t.teardown(() => browser.close())

    const page = await browser.newPage()
    const line = (text: string) => page.locator('li', { hasText: text }).first().waitFor()
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Network.enable')
    const handshake = new Promise<string | undefined>((resolve) => {
      devtools.on('Network.webSocketHandshakeResponseReceived', ({ response }) => {
        resolve(response.headers['Sec-WebSocket-Protocol'])
      })
    })
    await page.goto(`${site.origin}/?node=${encodeURIComponent(here.wsUrl)}`)
    await line('subscribed')
    t.equal(await handshake, 'portcullis', 'the token is not echoed as the subprotocol')

    const published = await fetch(`${there.url}/api/publish`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await shop.accessToken()}`,
      },
      body: JSON.stringify({ channel: 'news', data: { text: 'hello' } }),
    })
    t.equal(published.status, 200)
    await line('publication {"text":"hello"}')

    const revoked = await api('POST', '/v1/revocations', {
      identity: 'shop',
      subject: 'ada',
      wait: 5000,
    })
    t.match(revoked.body, { complete: true })
    await line('disconnected 4500 token revoked')
    await line('signed out revoked')
    t.equal(site.tokenRequests(), 1, 'the page requests no other token after a terminal close')

    const elsewhere = await browser.newPage()
    const refused = elsewhere.waitForEvent('console', (message) => message.text().includes('403'))
    await elsewhere.goto(`${site.otherOrigin}/?node=${encodeURIComponent(here.wsUrl)}`)
    await refused
    await elsewhere.locator('li', { hasText: `the origin ${site.otherOrigin}; add` }).waitFor()
    await elsewhere.locator('li', { hasText: 'disconnected 0' }).waitFor()
    const shown = await elsewhere.locator('li').allTextContents()
    t.notOk(shown.includes('connected'), 'a page of another origin is refused, and told why')
  },
)

for (const stream of ['http_stream', 'sse']) {
  t.test(`a page in Chromium falls back to ${stream}, and is closed when revoked`, async (t) => {
    let shop: IdentityClient | undefined
    const site = await startSite(async () => {
      const issued = await shop?.api('POST', '/v1/tokens', { subject: 'ada' })
      return issued?.body
    })
    t.teardown(() => site.close())
    const { realtime, api, identityClient } = await startInstallation(t, {
      realtime: 2,
      env: { ALLOWED_ORIGINS: site.origin, FALLBACK_TRANSPORTS: 'http_stream,sse' },
    })
    const [here, there] = realtime
    shop = await identityClient('shop', ['tokens:issue', 'subscribe:*', 'publish:*'])
    const browser = await startChromium()
    t.teardown(() => browser.close())

    const page = await browser.newPage()
    const line = (text: string) => page.locator('li', { hasText: text }).first().waitFor()
    const query = new URLSearchParams({ node: here.url, commands: there.url, stream })
    await page.goto(`${site.origin}/?${query}`)
    // The command went through the other node.
    await line('subscribed')
    const published = await fetch(`${there.url}/api/publish`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await shop.accessToken()}`,
      },
      body: JSON.stringify({ channel: 'news', data: { text: 'hello' } }),
    })
    t.equal(published.status, 200)
    await line('publication {"text":"hello"}')
    const revoked = await api('POST', '/v1/revocations', {
      identity: 'shop',
      subject: 'ada',
      wait: 5000,
    })
    t.match(revoked.body, { complete: true })
    await line('disconnected 4500 token revoked')
  })
}
