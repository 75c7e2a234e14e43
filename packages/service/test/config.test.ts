import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import { loadConfig } from '../src/config.js'

const schema = Type.Object({
  PORT: Type.Integer({ default: 80, minimum: 1 }),
  SECRET: Type.String({ minLength: 8 }),
  RATE: Type.Optional(Type.Integer({ maximum: 1000 })),
  STRICT: Type.Optional(Type.Boolean()),
  COLOUR: Type.Optional(Type.Union([Type.Literal('red'), Type.Literal('blue')])),
  PREFIX: Type.Optional(Type.String({ pattern: '^[a-z]*$', form: 'lower-case letters' })),
})

t.test('types settings, fills in defaults, and ignores empty variables', async (t) => {
  t.same(loadConfig(schema, { SECRET: '12345678', PORT: '', OTHER: 'x' }), {
    PORT: 80,
    SECRET: '12345678',
  })
  t.same(loadConfig(schema, { SECRET: '12345678', PORT: '81', COLOUR: 'red' }), {
    PORT: 81,
    SECRET: '12345678',
    COLOUR: 'red',
  })
})

t.test('converts numbers and booleans, and refuses every other text', async (t) => {
  const load = (environment: Record<string, string>) =>
    loadConfig(schema, { SECRET: '12345678', ...environment })
  const refused = (problem: string) => ({ code: 'CONFIG_INVALID', problems: [problem] })
  t.match(load({ RATE: '1e2', STRICT: 'false' }), { RATE: 100, STRICT: false })
  t.match(load({ STRICT: 'true' }), { STRICT: true })
  for (const RATE of ['1.5', '1k', ' ', 'Infinity']) {
    t.throws(() => load({ RATE }), refused('RATE must be a whole number'), RATE)
  }
  t.throws(() => load({ RATE: '1001' }), refused('RATE must be at most 1000'))
  for (const STRICT of ['1', 'TRUE', 'yes']) {
    t.throws(() => load({ STRICT }), refused('STRICT must be a boolean'), STRICT)
  }
})

t.test('reads a setting from a file', async (t) => {
  const file = join(t.testdir(), 'secret')
  writeFileSync(file, 'from the file\n')
  t.equal(loadConfig(schema, { SECRET_FILE: file }).SECRET, 'from the file')
  t.equal(loadConfig(schema, { SECRET: 'set itself', SECRET_FILE: file }).SECRET, 'set itself')
  t.throws(() => loadConfig(schema, { SECRET_FILE: join(file, 'no') }), {
    code: 'CONFIG_INVALID',
    problems: [/^SECRET_FILE names a file that cannot be read/],
  })
})

t.test('names every problem, and shows no value', async (t) => {
  t.throws(() => loadConfig(schema, { PORT: 'private', COLOUR: 'private' }), {
    code: 'CONFIG_INVALID',
    problems: [
      'SECRET is required',
      'PORT must be a whole number',
      'COLOUR must be one of red, blue',
    ],
  })
  try {
    loadConfig(schema, { SECRET: 'private', PORT: '0', PREFIX: 'PRIVATE' })
    t.fail('accepted')
  } catch (error) {
    t.match(String(error), /SECRET must have at least 8 characters/)
    t.match(String(error), /PORT must be at least 1/)
    t.match(String(error), /PREFIX must be lower-case letters/)
    t.notMatch(String(error), 'PRIVATE')
    t.notMatch(String(error), 'private')
  }
})
