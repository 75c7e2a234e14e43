import Fastify from 'fastify'
import t from 'tap'
import { answerFrameworkError, problems } from '../src/problems.js'
import { answerHeaders, securityHeaders } from '../src/security-headers.js'

async function app(tls: boolean) {
  const app = Fastify({ frameworkErrors: answerFrameworkError })
  await app.register(securityHeaders, { tls })
  await app.register(problems)
  app.get('/json', async () => ({}))
  app.get('/fails', async () => {
    throw new Error('no')
  })
  app.get(
    '/page',
    {
      helmet: {
        contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'self'"] } },
      },
    },
    async (_request, reply) => reply.type('text/html').send('<p>hello</p>'),
  )
  return app
}

t.test('every answer has the security headers', async (t) => {
  const served = await app(false)
  const { 'cache-control': _perService, ...headers } = answerHeaders
  for (const url of ['/json', '/fails', '/nothing', '/%zz']) {
    const answer = await served.inject(url)
    t.match(answer.headers, headers, url)
    t.notOk(answer.headers['strict-transport-security'], 'only with TLS')
    t.notOk(answer.headers['server'] ?? answer.headers['x-powered-by'], 'names no software')
  }
})

t.test('sends Strict-Transport-Security with TLS', async (t) => {
  const { headers } = await (await app(true)).inject('/json')
  t.match(headers['strict-transport-security'], /^max-age=31536000$/)
})

t.test('a page can set its own content security policy', async (t) => {
  const { headers } = await (await app(false)).inject('/page')
  t.equal(headers['content-security-policy'], "default-src 'self'")
  t.equal(headers['x-content-type-options'], 'nosniff')
})
