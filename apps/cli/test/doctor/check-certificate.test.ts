import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import t, { type Test } from 'tap'
import { checkCertificate } from '../../src/doctor/check-certificate.js'
import { runBin } from '../fixtures/run-bin.js'

/** A server whose certificate, for this address, ends so many days from now. */
async function server(t: Test, days: number, ip = '127.0.0.1') {
  const { cert, private: key } = await generate([{ name: 'commonName', value: `${ip} ${days}` }], {
    keyType: 'ec',
    notBeforeDate: new Date(Date.now() - 90 * 86_400_000),
    notAfterDate: new Date(Date.now() + days * 86_400_000),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip }] }],
  })
  const https = createServer({ cert, key }, (_request, response) => response.end('{}'))
  https.listen(0, '127.0.0.1')
  await once(https, 'listening')
  t.teardown(() => https.close())
  const address = https.address()
  return { url: `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, cert }
}

/** What the command says, having been told to trust these certificates. */
async function doctor(t: Test, auth: string, realtime: string, certificates: string[]) {
  const cwd = t.testdir()
  const file = join(cwd, 'trusted.pem')
  writeFileSync(file, certificates.join('\n'))
  const args = ['doctor', '--auth', auth, '--realtime', realtime]
  const { stdout } = await runBin(args, { cwd, env: { NODE_EXTRA_CA_CERTS: file } })
  return stdout
}

t.test('one that is trusted, and one that soon ends', async (t) => {
  const good = await server(t, 90)
  const soon = await server(t, 3)
  const stdout = await doctor(t, good.url, soon.url, [good.cert, soon.cert])
  t.match(stdout, /^ok +auth certificate +trusted, until \d{4}-\d\d-\d\d$/m)
  t.match(stdout, /^warning +\S+ certificate +ends on \d{4}-\d\d-\d\d$/m)
  t.notMatch(stdout, 'is not encrypted')
})

t.test('one that has ended, that nobody trusts, that is for another name', async (t) => {
  const check = async (url: string) => (await checkCertificate('x', url))[0]
  const ended = await check((await server(t, -1)).url)
  t.match(ended, { verdict: 'failed', found: /^ended on /, advice: 'renew the certificate' })
  const unknown = await check((await server(t, 90)).url)
  t.match(unknown, { verdict: 'failed', found: /^is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/ })
  const other = await server(t, 90, '10.0.0.1')
  const stdout = await doctor(t, other.url, other.url, [other.cert])
  t.match(stdout, /^failed +auth certificate +is not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)$/m)
})

t.test('no TLS there, and URLs without', async (t) => {
  const [none] = await checkCertificate('x', 'https://127.0.0.1:1')
  t.match(none, {
    verdict: 'failed',
    found: /no TLS connection to 127\.0\.0\.1:1 \(.*ECONNREFUSED/,
  })
  t.same(await checkCertificate('x', 'http://127.0.0.1:1'), [])
})
