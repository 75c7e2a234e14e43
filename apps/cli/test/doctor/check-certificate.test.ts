import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import t, { type Test } from 'tap'
import { checkCertificate } from '../../src/doctor/check-certificate.js'
import { runBin } from '../fixtures/run-bin.js'

/** A server with a certificate for `ip` that expires `days` days from now. */
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

t.test('trusted certificates, one about to expire, one for another address', async (t) => {
  const [good, soon, other] = [
    await server(t, 90),
    await server(t, 3),
    await server(t, 90, '10.0.0.1'),
  ]
  const cwd = t.testdir()
  const file = join(cwd, 'trusted.pem')
  writeFileSync(file, [good, soon, other].map(({ cert }) => cert).join('\n'))
  const args = ['doctor', '--auth', good.url, '--realtime', `${soon.url},${other.url}`]
  const { stdout } = await runBin(args, { cwd, env: { NODE_EXTRA_CA_CERTS: file } })
  t.match(stdout, /^ok +auth certificate +trusted, expires on \d{4}-\d\d-\d\d$/m)
  t.match(stdout, /^warning +\S+ certificate +expires on \d{4}-\d\d-\d\d$/m)
  t.match(stdout, /^failed +\S+ certificate +is not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)$/m)
  t.notMatch(stdout, 'is not encrypted')
})

t.test('an expired certificate, and one that is not trusted', async (t) => {
  const check = async (url: string) => (await checkCertificate('x', url))[0]
  const ended = await check((await server(t, -1)).url)
  t.match(ended, { verdict: 'failed', found: /^expired on /, advice: 'renew the certificate' })
  const unknown = await check((await server(t, 90)).url)
  t.match(unknown, { verdict: 'failed', found: /^is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/ })
})

t.test('a port without TLS, and an http URL', async (t) => {
  const [none] = await checkCertificate('x', 'https://127.0.0.1:1')
  t.match(none, {
    verdict: 'failed',
    found: /no TLS connection to 127\.0\.0\.1:1 \(.*ECONNREFUSED/,
  })
  t.same(await checkCertificate('x', 'http://127.0.0.1:1'), [])
})
