import Fastify, { type FastifyRequest } from 'fastify'
import t from 'tap'
import { addressOf, clientAddressOf, trustProxy, warnOfProxy } from '../src/address.js'

/** Returns an app that answers with the counted or the recorded address, and its log lines. */
async function addressApp(trusted?: string) {
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) }
  const app = Fastify({ trustProxy: trustProxy(trusted), logger: { level: 'warn', stream } })
  await app.register(warnOfProxy, { trusted })
  app.get('/counted', async (request) => addressOf(request))
  app.get('/recorded', async (request: FastifyRequest) => clientAddressOf(request))
  const ask = async (url: string, forwarded?: string, remoteAddress = '127.0.0.1') => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    return (await app.inject({ url, headers, remoteAddress })).body
  }
  return { lines, ask }
}

t.test('strips the port from a forwarded address', async (t) => {
  const { ask } = await addressApp('127.0.0.1')
  for (const [forwarded, counted, recorded] of [
    ['203.0.113.2:5000', '203.0.113.2', '203.0.113.2'],
    ['203.0.113.2', '203.0.113.2', '203.0.113.2'],
    ['[2001:db8::7]:4711', '2001:db8::', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::', '2001:db8::7'],
    ['2001:DB8:0:0::8', '2001:db8::', '2001:DB8:0:0::8'],
    ['2001:db8:0:1::8', '2001:db8:0:1::', '2001:db8:0:1::8'],
    ['2001:db8::1%eth0', '2001:db8::', '2001:db8::1'],
    ['::ffff:203.0.113.9', '203.0.113.9', '::ffff:203.0.113.9'],
    ['[::ffff:203.0.113.9]:80', '203.0.113.9', '::ffff:203.0.113.9'],
    ['198.51.100.7, 203.0.113.2:5000', '203.0.113.2', '203.0.113.2'],
  ] as const) {
    t.equal(await ask('/counted', forwarded), counted, forwarded)
    t.equal(await ask('/recorded', forwarded), recorded, forwarded)
  }
})

t.test('counts a forwarded text that is not an address as the proxy', async (t) => {
  const { ask } = await addressApp('127.0.0.1')
  for (const forwarded of [
    'unknown',
    '_hidden',
    '203.0.113.300',
    '203.0.113.5, unknown',
    '"203.0.113.6"',
    '[203.0.113.2',
    '203.0.113.2:x',
    '[]:80',
    ':80',
    'x'.repeat(2000),
    ',,,',
  ]) {
    t.equal(await ask('/counted', forwarded), '127.0.0.1', forwarded.slice(0, 30))
  }
})

t.test('trusts a proxy whose address has a port', async (t) => {
  const { ask } = await addressApp('127.0.0.1, 10.0.0.0/8,fd00::/8')
  t.equal(await ask('/counted', '203.0.113.2, 10.0.0.5:41000'), '203.0.113.2')
  t.equal(await ask('/counted', '203.0.113.2, [fd00::5]:41000, 10.0.0.5'), '203.0.113.2')
  t.equal(await ask('/counted', '203.0.113.2, 11.0.0.5:41000'), '11.0.0.5')
  t.throws(() => trustProxy('10.0.0.0/8,proxy.example'), {
    code: 'CONFIG_INVALID',
    problems: [/^TRUST_PROXY must be IP addresses or networks separated by commas/],
  })
})

t.test('warns once of X-Forwarded-For without TRUST_PROXY', async (t) => {
  const { ask, lines } = await addressApp()
  await ask('/counted')
  t.equal(lines.length, 0)
  for (const address of ['203.0.113.2', '203.0.113.3']) {
    t.equal(await ask('/counted', address, '10.0.0.9'), '10.0.0.9')
  }
  t.equal(lines.length, 1)
  t.match(lines[0], /X-Forwarded-For came from 10\.0\.0\.9.*TRUST_PROXY is not set/)
  const trusting = await addressApp('10.0.0.9')
  t.equal(await trusting.ask('/counted', '203.0.113.2', '10.0.0.9'), '203.0.113.2')
  t.equal(trusting.lines.length, 0)
})
