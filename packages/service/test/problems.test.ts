import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { answerFrameworkError, type ProblemsOptions, problems } from '../src/problems.js'

async function app(t: { teardown(f: () => Promise<void>): void }, options: ProblemsOptions = {}) {
  const lines: string[] = []
  const app: FastifyInstance = Fastify({
    logger: { stream: { write: (line: string) => lines.push(line) } },
    frameworkErrors: answerFrameworkError,
  })
  t.teardown(() => app.close())
  await app.register(problems, options)
  return { app, lines }
}

t.test('answers an error that has a status with its code, detail and headers', async (t) => {
  const { app: one } = await app(t)
  one.get('/', async () => {
    throw Object.assign(new Error('send less'), {
      statusCode: 429,
      code: 'too_much',
      headers: { 'retry-after': '3' },
    })
  })
  const answer = await one.inject('/')
  t.equal(answer.statusCode, 429)
  t.equal(answer.headers['retry-after'], '3')
  t.match(answer.headers['content-type'], /^application\/problem\+json/)
  t.match(answer.json(), {
    type: 'about:blank',
    title: 'Too Many Requests',
    status: 429,
    code: 'too_much',
    detail: 'send less',
    instance: 'req-1',
  })
})

t.test('answers any other error with a bare 500, and logs it', async (t) => {
  const { app: one, lines } = await app(t)
  one.get('/', async () => {
    throw Object.assign(new Error('inner workings'), { code: 'EINNER', statusCode: undefined })
  })
  one.get('/500', async () => {
    throw Object.assign(new Error('inner workings'), { code: 'EINNER', statusCode: 500 })
  })
  one.get('/odd', async () => {
    throw Object.assign(new Error('inner workings'), { statusCode: 200 })
  })
  for (const path of ['/', '/500', '/odd']) {
    const answer = await one.inject(path)
    t.match(answer.json(), { status: 500, code: 'internal_error' }, path)
    t.notMatch(answer.body, /inner|EINNER|at /)
  }
  t.equal(lines.filter((line) => line.includes('inner workings')).length, 3)
})

t.test("translates an application's own errors", async (t) => {
  const { app: one } = await app(t, {
    translate: (error) =>
      error instanceof RangeError
        ? { statusCode: 503, code: 'away', message: 'come back', headers: { 'retry-after': '1' } }
        : undefined,
  })
  one.get('/', async () => {
    throw new RangeError('secret')
  })
  const answer = await one.inject('/')
  t.match(answer.json(), { status: 503, code: 'away', detail: 'come back' })
  t.equal(answer.headers['retry-after'], '1')
})

t.test('does not repeat an unknown path', async (t) => {
  const { app: one } = await app(t)
  for (const path of ['/secret-path', '/%zzsecret-path']) {
    const answer = await one.inject(path)
    t.ok([400, 404].includes(answer.statusCode))
    t.match(answer.headers['content-type'], /^application\/problem\+json/)
    t.notMatch(answer.body, 'secret-path')
  }
})
