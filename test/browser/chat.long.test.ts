import { startChat } from '@portcullis/example-chat'
import type { Browser } from 'playwright-core'
import t from 'tap'
import { startChromium } from './chromium.js'

/** Signs a user in, in a window with cookies of its own. */
async function signIn(browser: Browser, url: string, user: string) {
  const window = await browser.newContext({ viewport: { width: 760, height: 520 } })
  const page = await window.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  await page.goto(url)
  await page.getByPlaceholder('your name').fill(user)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText(`${user}, connected at`).waitFor()
  return {
    page,
    problems,
    say: async (text: string) => {
      await page.getByPlaceholder('say something').fill(text)
      await page.getByRole('button', { name: 'Send' }).click()
    },
    sees: (text: string) => page.getByText(text).first().waitFor(),
  }
}

t.test('two users of the example chat at two nodes, until one is cut off', async (t) => {
  const { url } = await startChat(t)
  const browser = await startChromium()
  t.teardown(() => browser.close())
  const ada = await signIn(browser, url, 'ada')
  const bob = await signIn(browser, url, 'bob')
  const nodeOf = (page: typeof ada.page) => page.getByText('connected at').textContent()
  t.not((await nodeOf(ada.page))?.slice(-4), (await nodeOf(bob.page))?.slice(-4), 'two nodes')

  await ada.say('hello from ada')
  await bob.sees('hello from ada')
  await bob.say('and from bob')
  await ada.sees('and from bob')
  const stored = await ada.page.evaluate(() => [
    ...Object.values(localStorage),
    ...Object.values(sessionStorage),
    document.cookie,
    location.href,
  ])
  t.same(stored, ['', `${url}/`], 'no token is in storage, cookies of scripts or the address')

  await bob.page.getByRole('button', { name: 'Cut off' }).click()
  await bob.sees('ada is out: 1 closed, confirmed by 2 nodes in')
  if (process.env['SCREENSHOTS'] !== undefined) {
    await bob.page.screenshot({ path: `${process.env['SCREENSHOTS']}/chat.png` })
  }
  await ada.sees('You are signed out: revoked')
  await bob.page.getByRole('button', { name: 'Cut off' }).waitFor({ state: 'detached' })
  const refused = await ada.page.evaluate(
    async () => (await fetch('/token', { method: 'POST' })).status,
  )
  t.equal(refused, 401, 'a user who is cut off gets no token')

  await ada.page.getByPlaceholder('your name').fill('ada')
  await ada.page.getByRole('button', { name: 'Sign in' }).click()
  await ada.sees('and from bob')
  await bob.page.getByRole('button', { name: 'Cut off' }).waitFor()
  t.same([...ada.problems, ...bob.problems], [])
})
