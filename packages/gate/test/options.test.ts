import t from 'tap'
import { checkOptions } from '../src/options.js'

const good = {
  authUrl: 'http://127.0.0.1:4000',
  credentials: { identity: 'shop', registrationCode: 'secret' },
}

t.test('names an invalid option, and never shows the registration code', async (t) => {
  const cases: [string, object][] = [
    ['authUrl', { authUrl: 'ftp://x' }],
    ['authUrl', { authUrl: 'nonsense' }],
    ['authUrl', { authUrl: 'http://user:pass@x' }],
    ['credentials.identity', { credentials: { identity: '', registrationCode: 'secret' } }],
    ['credentials.registrationCode', { credentials: { identity: 'a', registrationCode: '' } }],
    ['node', { node: 'a b' }],
    ['url', { url: 'x'.repeat(257) }],
    ['timeoutMs', { timeoutMs: 1 }],
    ['timeoutMs', { timeoutMs: Number.NaN }],
    ['holdCallersMs', { holdCallersMs: -1 }],
    ['holdCallersMs', { holdCallersMs: 3_600_001 }],
  ]
  for (const [name, change] of cases) {
    try {
      checkOptions({ ...good, ...change })
      t.fail(name)
    } catch (error) {
      t.match(error, { code: 'bad_options', message: `gate: ${name}` }, name)
      t.notMatch(String(error), 'secret')
    }
  }
})

t.test('derives the feed URL from authUrl, and a node name from the identity', async (t) => {
  const checked = checkOptions({ ...good, authUrl: 'https://example.org/auth/' })
  t.equal(checked.feedUrl.href, 'wss://example.org/auth/v1/feed')
  t.match(checkOptions(good).node, /^shop-[A-Za-z0-9._:-]+$/)
  const odd = { ...good, credentials: { ...good.credentials, identity: 'shop@eu/1' } }
  t.match(checkOptions(odd).node, /^shop-eu-1-/)
})
