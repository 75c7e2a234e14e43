import t from 'tap'
import { endpointOf, lookup } from '../../../src/events/receivers/endpoint.js'

t.test('allows https:, this machine, and the named hosts', async (t) => {
  const allowed = [
    'https://shop.example/events?tenant=1',
    'https://10.1.2.3:8443/',
    'http://localhost:8080/events',
    'http://127.0.0.1/',
    'http://127.8.8.8/',
    'http://[::1]:1/',
    'http://receiver/events',
  ]
  for (const text of allowed) {
    t.equal(endpointOf(text, ['receiver']).href, new URL(text).href)
  }
  const wrong: [string, RegExp][] = [
    ['', /https: URL/],
    ['shop.example', /https: URL/],
    ['ftp://shop.example/', /https: URL/],
    ['file:///etc/passwd', /https: URL/],
    ['http://shop.example/', /EVENT_HTTP_HOSTS/],
    ['http://receiver.example/', /EVENT_HTTP_HOSTS/],
    ['http://localhost.example/', /EVENT_HTTP_HOSTS/],
    ['http://127.0.0.1.example/', /EVENT_HTTP_HOSTS/],
    ['https://user:word@shop.example/', /authorization_header/],
    ['https://shop.example/#x', /fragment/],
    ['https://169.254.169.254/latest/meta-data', /link-local/],
    ['https://2852039166/', /link-local/],
    ['https://[fe80::1]/', /link-local/],
    ['https://[fd00:ec2::254]/', /link-local/],
    ['https://[::ffff:169.254.169.254]/', /link-local/],
  ]
  for (const [text, message] of wrong) {
    t.throws(() => endpointOf(text, ['receiver']), { code: 'invalid_request', message }, text)
  }
})

t.test('resolves host names, and refuses link-local addresses', async (t) => {
  const ask = (name: string, all: boolean) =>
    new Promise((resolve, reject) => {
      lookup(name, { all }, (error, address) => (error === null ? resolve(address) : reject(error)))
    })
  t.match(await ask('localhost', false), /^(?:127\.0\.0\.1|::1)$/)
  t.match(await ask('localhost', true), [{ address: String, family: Number }])
  await t.rejects(ask('169.254.169.254', true), /link-local/)
  await t.rejects(ask('169.254.169.254', false), /link-local/)
})
