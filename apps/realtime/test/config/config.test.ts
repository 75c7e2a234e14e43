import { hostname } from 'node:os'
import { ConfigError } from '@portcullis/service'
import t from 'tap'
import { config } from '../../src/config/config.js'
import { defaultNodeName } from '../../src/config/node-name.js'

const required = { REGISTRATION_CODE: 'code' }

t.test('has defaults', async (t) => {
  t.match(config(required), {
    PORT: 8000,
    IDENTITY: 'realtime',
    NODE_NAME: `realtime-${hostname()}-8000`,
    ALLOWED_ORIGINS: [],
    TOKEN_IN_QUERY: false,
    PING_INTERVAL_MS: 25_000,
    MAX_CHANNELS: 128,
  })
  t.equal(config({ ...required, PORT: '8001' }).NODE_NAME, `realtime-${hostname()}-8001`)
  t.equal(defaultNodeName(8000, 'f3a9'), 'realtime-f3a9-8000')
  t.not(defaultNodeName(8000, 'localhost'), defaultNodeName(8000, 'localhost'))
  t.match(defaultNodeName(65_535, `${'x'.repeat(300)} é`), /^realtime-x{100}-65535$/)
})

const problems = (environment: Record<string, string>) => {
  try {
    config(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems
    }
    throw error
  }
}

t.test('accepts a list of exact origins only', async (t) => {
  const origins = (text: string) => config({ ...required, ALLOWED_ORIGINS: text }).ALLOWED_ORIGINS
  t.same(origins('https://a.example, http://b:8080'), ['https://a.example', 'http://b:8080'])
  for (const wrong of ['*', 'null', 'a.example', 'https://a.example/', 'https://a.example,']) {
    t.match(problems({ ...required, ALLOWED_ORIGINS: wrong }), [/^ALLOWED_ORIGINS /], wrong)
  }
})

t.test('accepts a list of channel names as server subscriptions', async (t) => {
  const channels = (text: string) =>
    config({ ...required, SERVER_SUBSCRIPTIONS: text }).SERVER_SUBSCRIPTIONS
  t.same(channels(''), [])
  t.same(channels(' user:{sub}  news '), ['user:{sub}', 'news'])
  for (const wrong of ['a b\tc', 'all*', 'ä', '"a"', 'x'.repeat(256)]) {
    const found = problems({ ...required, SERVER_SUBSCRIPTIONS: wrong })
    t.match(found, [/^SERVER_SUBSCRIPTIONS /], wrong)
  }
  t.match(problems({ ...required, SERVER_SUBSCRIPTIONS: 'a b c', MAX_CHANNELS: '2' }), [
    /^SERVER_SUBSCRIPTIONS has more channels than MAX_CHANNELS/,
  ])
})

t.test('names wrong settings, and never their values', async (t) => {
  t.match(problems({}), [/^REGISTRATION_CODE is required/])
  t.match(problems({ ...required, PORT: 'x' }), [/^PORT must be a whole number/])
  t.match(problems({ ...required, PING_INTERVAL_MS: '500' }), [/^PONG_TIMEOUT_MS must be less/])
  t.match(problems({ ...required, NODE_NAME: 'with space' }), [/^NODE_NAME /])
  t.match(problems({ ...required, MAX_CHANNELS: '5000' }), [/must be more than MAX_CHANNELS$/])
  const answer = { MAX_ANSWER_BYTES: '70000', SEND_BUFFER_BYTES: '65536' }
  t.match(problems({ ...required, ...answer }), [/^MAX_ANSWER_BYTES must not be/])
  t.notMatch(problems({ REGISTRATION_CODE: 'secret', NODE_NAME: ' ' }).join(), /secret/)
})
