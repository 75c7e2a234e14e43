import fc from 'fast-check'

/** Values of a field as JSON text: unusual, wrong, or not JSON at all. */
const hostile = fc.oneof(
  fc.constantFrom(
    ...['null', 'true', '0', '-0', '-1', '1.5', '1e308', '1e999', '-1e999', '9007199254740993'],
    ...['4294967295', '4294967296', '18446744073709551616', '""', '" "', '"*"', '"\\u0000"'],
    ...['"\\ud800"', '"\\udc00\\ud800"', '"\\"', 'NaN', 'undefined', '[]', '{}', '[[]]', '[null]'],
    ...['{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":true}}}'],
    ...['{"toString":1}', '{"length":1e9}', '{"toJSON":{}}', '{"then":{}}', '{"b64":"AA=="}'],
  ),
  fc.integer({ min: 1, max: 3000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 1, max: 2000 }).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  fc.integer({ min: 200, max: 9000 }).map((length) => JSON.stringify('x'.repeat(length))),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc.jsonValue().map((value) => JSON.stringify(value)),
)

const channel = fc.constantFrom('"a"', '"s:1"', '"s:2"', '"b:3"', '"unused"')
const token = fc.constantFrom('""', '"none"', '"e30.e30.e30"')
const offset = fc.constantFrom('0', '1', '9007199254740991')
const bool = fc.constantFrom('true', 'false')
const data = fc.jsonValue().map((value) => JSON.stringify(value))

/** Fields of each command, as JSON text by key. */
const methods: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<string>>>>> = {
  connect: { token, data, name: fc.constant('"js"'), version: fc.constant('"1"') },
  refresh: { token },
  subscribe: {
    channel,
    token,
    recover: bool,
    offset,
    epoch: fc.constantFrom('""', '"e"'),
    join_leave: bool,
    positioned: bool,
    recoverable: bool,
    type: fc.constantFrom('0', '1'),
    delta: fc.constant('"fossil"'),
    flag: fc.constantFrom('0', '1', '-1'),
    tf: fc.oneof(
      fc.constantFrom('{"key":"a","cmp":"eq","val":"b"}', '{"op":"not","nodes":[]}', '{"op":"x"}'),
      fc
        .integer({ min: 1, max: 500 })
        .map((depth) => `${'{"op":"not","nodes":['.repeat(depth)}{}${']}'.repeat(depth)}`),
    ),
  },
  unsubscribe: { channel },
  publish: { channel, data },
  presence: { channel },
  presence_stats: { channel },
  history: {
    channel,
    limit: fc.constantFrom('0', '1', '-1', '2147483647'),
    since: fc.constantFrom('null', '{}', '{"offset":1,"epoch":"e"}'),
    reverse: bool,
  },
  sub_refresh: { channel, token },
  rpc: { method: fc.constant('"m"'), data },
  send: { data },
}

const id = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 1000 }).map(String) },
  { weight: 1, arbitrary: hostile },
)
const names = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom(...Object.keys(methods)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'ping',
      'x',
      '__proto__',
      'constructor',
      'hasOwnProperty',
      'push',
      '',
    ),
  },
)

/** Returns an object as text; a key may occur twice, in any order. */
function object(entries: readonly (readonly [string, string])[]): string {
  return `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`
}

/** The fields of a command: valid, and sometimes with a wrong one. */
const body = (fields: Readonly<Record<string, fc.Arbitrary<string>>>) =>
  fc
    .tuple(
      fc.record(fields, { requiredKeys: [] }),
      fc.option(fc.record({ channel, data }), { freq: 2, nil: {} }),
      fc.oneof(
        { weight: 5, arbitrary: fc.constant(undefined) },
        {
          weight: 1,
          arbitrary: fc.tuple(
            fc.constantFrom('channel', 'token', 'data', 'offset', 'limit', 'x'),
            hostile,
          ),
        },
      ),
    )
    .map(([valid, usual, wrong]) =>
      object([...Object.entries({ ...usual, ...valid }), ...(wrong === undefined ? [] : [wrong])]),
    )

const command = names.chain((name) =>
  fc
    .tuple(
      id,
      fc.oneof(
        { weight: 5, arbitrary: body(Object.hasOwn(methods, name) ? (methods[name] ?? {}) : {}) },
        { weight: 1, arbitrary: hostile },
      ),
      fc.oneof(
        { weight: 12, arbitrary: fc.constant('plain') },
        { weight: 1, arbitrary: fc.constantFrom('no id', 'twice', 'two methods') },
      ),
    )
    .map(([number, text, how]) => {
      const itself = [name, text] as const
      if (how === 'no id' || name === 'send') {
        return object([itself])
      }
      if (how === 'twice') {
        return object([['id', number], itself, itself])
      }
      if (how === 'two methods') {
        return object([['id', number], itself, ['rpc', '{}']])
      }
      return object([['id', number], itself])
    }),
)

/** One message in the JSON form: valid, nearly valid, hostile, or bytes. */
export const jsonMessage: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .array(command, { minLength: 1, maxLength: 5 })
      .map((lines) => Buffer.from(lines.join('\n'))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(command, fc.integer({ min: 2, max: 400 }))
      .filter(([line, count]) => line.length * count < 60_000)
      .map(([line, count]) => Buffer.from(`${line}\n`.repeat(count))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(command, fc.nat(), fc.uint8Array({ maxLength: 4 }))
      .map(([line, at, bytes]) => {
        const text = Buffer.from(line)
        const cut = at % text.length
        return Buffer.concat([text.subarray(0, cut), bytes, text.subarray(cut + 1)])
      }),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
)
