import Fastify from 'fastify'
import t from 'tap'
import { answerFrameworkError, problems } from '../src/problems.js'
import { securityHeaders } from '../src/security-headers.js'

const expected = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

async function app(tls: boolean) {
  const app = Fastify({ frameworkErrors: answerFrameworkError })
  await app.register(securityHeaders, { tls })
  await app.register(problems)
  app.get('/json', async () => ({}))
  app.get('/fails', async () => {
    throw new Error('no')
  })
  app.get('/page', async (_request, reply) =>
    reply
      .type('text/html')
      .header('content-security-policy', "default-src 'self'")
      .send('<p>hello</p>'),
  )
  return app
}

t.test('every answer has the security headers', async (t) => {
  const served = await app(false)
  for (const url of ['/json', '/fails', '/nothing', '/%zz']) {
    const { headers } = await served.inject(url)
    for (const [name, value] of Object.entries(expected)) {
      t.equal(headers[name], value, `${url} ${name}`)
    }
    t.notOk(headers['strict-transport-security'], 'only with TLS')
    t.notOk(headers['server'] ?? headers['x-powered-by'], 'names no software')
  }
})

t.test('sends Strict-Transport-Security with TLS', async (t) => {
  const { headers } = await (await app(true)).inject('/json')
  t.equal(headers['strict-transport-security'], 'max-age=31536000')
})

t.test('a page can set its own content security policy', async (t) => {
  const { headers } = await (await app(false)).inject('/page')
  t.equal(headers['content-security-policy'], "default-src 'self'")
  t.equal(headers['x-content-type-options'], 'nosniff')
})
