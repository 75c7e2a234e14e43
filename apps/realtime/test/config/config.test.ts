import { hostname } from 'node:os'
import { ConfigError } from '@portcullis/service'
import type { TSchema } from '@sinclair/typebox'
import t from 'tap'
import { config, configSchema } from '../../src/config/config.js'
import { defaultNodeName } from '../../src/config/node-name.js'

const required = { REGISTRATION_CODE: 'code' }

t.test('has defaults', async (t) => {
  t.match(config(required), {
    PORT: 8000,
    IDENTITY: 'realtime',
    WORKERS: 1,
    ALLOWED_ORIGINS: [],
    TOKEN_IN_QUERY: false,
    PING_INTERVAL_MS: 25_000,
    MAX_CHANNELS: 128,
  })
})

t.test('no two processes have the same default name', async (t) => {
  const name = () => config({ ...required, PORT: '8001' }).NODE_NAME
  t.ok(name().startsWith(`realtime-${hostname()}-8001-`))
  t.not(name(), name())
  t.match(
    defaultNodeName(65_535, `${'x'.repeat(300)} é`),
    /^realtime-x{80}-65535-[0-9a-f]{8}$/,
    'also fits when the host has a long name',
  )
})

t.test('each worker has a name, and its share of the limits of all', async (t) => {
  const environment = {
    ...required,
    WORKERS: '3',
    NODE_NAME: 'edge',
    MAX_CONNECTIONS: '100',
    MAX_CONNECTIONS_PER_USER: '4',
    REFUSALS_PER_MINUTE: '20',
  }
  t.match(config(environment, { number: 2, count: 3 }), {
    NODE_NAME: 'edge-2',
    MAX_CONNECTIONS: 34,
    MAX_CONNECTIONS_PER_USER: 4,
    REFUSALS_PER_MINUTE: 10,
  })
  t.match(config(environment), { NODE_NAME: 'edge', MAX_CONNECTIONS: 100, WORKERS: 3 })
  const long = 'x'.repeat(126)
  t.equal(config({ ...required, NODE_NAME: long }).NODE_NAME, long)
  t.match(problems({ ...environment, NODE_NAME: long }), [/^NODE_NAME must have at most 125/])
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
  for (const [written, sent] of [
    ['https://App.Example.com:443', 'https://app.example.com'],
    ['HTTP://app.example.com:80', 'http://app.example.com'],
    ['https://app.example.com:8443', 'https://app.example.com:8443'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['Capacitor://localhost', 'capacitor://localhost'],
    ['chrome-extension://abcdef', 'chrome-extension://abcdef'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
  ] as const) {
    t.same(origins(written), [sent], 'as browsers send it')
  }
  t.match(problems({ ...required, ALLOWED_ORIGINS: 'https://a:99999' }), [/host or port/])
  for (const wrong of [
    'https://ada@a.example',
    '*',
    'null',
    'a.example',
    'https://a.example/',
    'https://a.example,',
  ]) {
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
  const strict = { NAMESPACES_STRICT: 'true', SERVER_SUBSCRIPTIONS: 'plain other:news' }
  t.match(problems({ ...required, ...strict }), [/NAMESPACES lacks: other:news$/])
  t.match(problems({ ...required, SERVER_SUBSCRIPTIONS: 'a b c', MAX_CHANNELS: '2' }), [
    /^SERVER_SUBSCRIPTIONS has more channels than MAX_CHANNELS/,
  ])
})

t.test('each setting with a pattern says in words what it allows', async (t) => {
  for (const [name, { pattern, form }] of Object.entries<TSchema>(configSchema.properties)) {
    t.equal(typeof form, typeof pattern, name)
  }
  t.match(problems({ ...required, NODE_NAME: 'with space' }), [
    'NODE_NAME must be 1 to 128 letters, digits or . _ : -, beginning with a letter or digit',
  ])
})

t.test('names wrong settings, and never their values', async (t) => {
  t.match(problems({}), [/^REGISTRATION_CODE is required/])
  t.match(problems({ ...required, PORT: 'x' }), [/^PORT must be a whole number/])
  t.match(problems({ ...required, PING_INTERVAL_MS: '500' }), [/^PONG_TIMEOUT_MS must be less/])
  t.match(problems({ ...required, NODE_NAME: 'with space' }), [/^NODE_NAME /])
  t.match(problems({ ...required, MAX_CHANNELS: '5000' }), [/must be more than MAX_CHANNELS$/])
  t.match(problems({ ...required, MAX_FRAME_BYTES: '65536' }), [
    /^MAX_FRAME_BYTES must be 262144 or more, or MAX_CHANNELS less: /,
  ])
  const answer = { MAX_ANSWER_BYTES: '70000', SEND_BUFFER_BYTES: '65536' }
  t.match(problems({ ...required, ...answer }), [/^MAX_ANSWER_BYTES must not be/])
  t.notMatch(problems({ REGISTRATION_CODE: 'secret', NODE_NAME: ' ' }).join(), /secret/)
})
