import { startInstallation } from '@portcullis/local'
import t from 'tap'
import { startChromium } from './chromium.js'

t.test(
  'the docs pages of both services show every route and load nothing from other origins',
  async (t) => {
    const { auth, realtime } = await startInstallation(t, { realtime: 1 })
    const browser = await startChromium()
    t.teardown(() => browser.close())
    for (const { url } of [auth, realtime[0]]) {
      const page = await browser.newPage()
      const problems: string[] = []
      page.on('console', (message) => {
        if (message.type() === 'error') {
          problems.push(message.text())
        }
      })
      page.on('pageerror', (error) => problems.push(error.message))
      page.on('request', (request) => {
        const { origin, protocol } = new URL(request.url())
        if (protocol !== 'data:' && origin !== url) {
          problems.push(`requests ${request.url()}`)
        }
      })
      await page.goto(`${url}/docs`)
      await page.locator('.opblock').first().waitFor()
      const description = await (await fetch(`${url}/docs/openapi.json`)).json()
      const count = Object.values<object>(description.paths).flatMap(Object.keys).length
      t.equal(await page.locator('.opblock').count(), count, `${url}/docs: every operation`)
      t.equal(await page.title(), description.info.title)
      t.same(problems, [], 'no errors, and no requests to other origins')
      if (process.env['SCREENSHOTS'] !== undefined) {
        await page.screenshot({
          path: `${process.env['SCREENSHOTS']}/docs-${description.info.title}.png`,
        })
      }
    }
  },
)
