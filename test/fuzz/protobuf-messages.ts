import fc from 'fast-check'

const varint = (value: bigint): number[] =>
  value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)]

/** Returns `bytes` after their length, which is wrong by `error`. */
function delimited(bytes: Uint8Array, error = 0): Buffer {
  const length = BigInt(Math.max(0, bytes.length + error))
  return Buffer.concat([Buffer.from(varint(length)), bytes])
}

function field(number: number, wireType: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(varint(BigInt(number * 8 + wireType))), content])
}

const text = (value: string) => Buffer.from(value)
const channel = fc.constantFrom(
  'a',
  's:1',
  's:2',
  'b:3',
  'unused',
  '',
  ' ',
  '*',
  'é',
  'x'.repeat(256),
)
const number = fc
  .oneof(
    fc.constantFrom(0n, 1n, 127n, 128n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  )
  .map((value) => Buffer.from(varint(value)))
/** A varint with more bytes than allowed. */
const overflow = fc
  .integer({ min: 9, max: 14 })
  .map((length) => Buffer.concat([Buffer.alloc(length, 0xff), Buffer.of(1)]))
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each)),
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
  channel.map(text),
)
const lengthError = fc.oneof(
  { weight: 40, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(1, -1, 100, 2 ** 31, 2 ** 32) },
)
/** Usually nothing, sometimes `what`. */
const rarely = (what: fc.Arbitrary<Buffer>) =>
  fc.oneof({ weight: 20, arbitrary: fc.constant(Buffer.alloc(0)) }, { weight: 1, arbitrary: what })

/** A random field with random content, usually of the wrong type for its number. */
const anyField = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 16 }), fc.constantFrom(100, 2 ** 29 - 1)),
    fc.oneof(
      number.map((content) => [0, content] as const),
      overflow.map((content) => [0, content] as const),
      fc.tuple(bytes, lengthError).map(([content, by]) => [2, delimited(content, by)] as const),
      fc.uint8Array({ minLength: 4, maxLength: 8 }).map((content) => [5, content] as const),
      fc.constantFrom([3, Buffer.alloc(0)] as const, [4, Buffer.alloc(0)] as const),
      fc.constantFrom([6, Buffer.alloc(0)] as const, [7, Buffer.of(1)] as const),
      // Nested groups, as deep as a frame allows.
      fc.integer({ min: 1, max: 5000 }).map((depth) => [3, Buffer.alloc(depth, 0x0b)] as const),
    ),
  )
  .map(([at, [wireType, content]]) => field(at, wireType, content))

const channelField = channel.map((name) => field(1, 2, delimited(text(name))))
const some = (number: number, content: fc.Arbitrary<Buffer>) =>
  fc.option(
    content.map((each) => field(number, 2, delimited(each))),
    { nil: Buffer.alloc(0) },
  )
const flag = (number: number) =>
  fc.constantFrom(Buffer.alloc(0), field(number, 0, Buffer.of(1)), field(number, 0, Buffer.of(9)))
const position = fc
  .tuple(number, some(2, bytes))
  .map(([offset, epoch]) => Buffer.concat([field(1, 0, offset), epoch]))

/** Nested filters. */
const filter = fc
  .tuple(some(1, fc.constantFrom(text('not'), text('and'))), fc.integer({ min: 0, max: 300 }))
  .map(([op, depth]) => {
    let node = op
    for (let level = 0; level < depth; level += 1) {
      node = Buffer.concat([op, field(6, 2, delimited(node))])
    }
    return node
  })

/** Fields of each command, by its field number in `Command`. */
const known: readonly (readonly [number, fc.Arbitrary<Buffer>[]])[] = [
  [4, [some(1, bytes), some(2, bytes), some(4, bytes)]],
  [
    5,
    [
      ...[channelField, some(2, bytes), flag(3), some(6, bytes), flag(9), flag(10), flag(11)],
      number.map((offset) => field(7, 0, offset)),
      number.map((flags) => field(14, 0, flags)),
      number.map((type) => field(15, 0, type)),
      some(12, fc.constant(text('fossil'))),
      some(13, filter),
    ],
  ],
  [6, [channelField]],
  [7, [channelField, some(2, bytes)]],
  [8, [channelField]],
  [9, [channelField]],
  [10, [channelField, number.map((limit) => field(7, 0, limit)), some(8, position), flag(9)]],
  [12, [some(1, bytes)]],
  [13, [some(1, bytes), some(2, bytes)]],
  [14, [some(1, bytes)]],
  [15, [channelField, some(2, bytes)]],
]
/** Methods that this server does not have, and one that never existed. */
const unknown: typeof known = [
  [11, [bytes]],
  [3, [bytes]],
]

const command = fc
  .tuple(
    fc.oneof(
      {
        weight: 30,
        arbitrary: fc.integer({ min: 1, max: 1000 }).map((id) => Buffer.from(varint(BigInt(id)))),
      },
      { weight: 1, arbitrary: number },
    ),
    fc.constantFrom(...known, ...known, ...unknown).chain(([method, fields]) =>
      fc
        .tuple(
          fc.subarray(fields, { minLength: 1 }).chain((chosen) => fc.tuple(...chosen)),
          rarely(anyField),
          lengthError,
        )
        .map(([parts, wrong, by]) =>
          field(method, 2, delimited(Buffer.concat([...parts, wrong]), by)),
        ),
    ),
    rarely(anyField),
    lengthError,
  )
  .map(([id, method, wrong, by]) => delimited(Buffer.concat([field(1, 0, id), method, wrong]), by))

/** One message in the Protobuf form: valid, nearly valid, hostile, or bytes. */
export const protobufMessage: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.array(command, { minLength: 1, maxLength: 5 }).map((all) => Buffer.concat(all)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(command, fc.integer({ min: 2, max: 400 }))
      .filter(([one, count]) => one.length * count < 60_000)
      .map(([one, count]) => Buffer.concat(Array.from({ length: count }, () => one))),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(command, fc.nat(), fc.nat(255)).map(([one, at, byte]) => {
      const changed = Buffer.from(one)
      changed[at % changed.length] = byte
      return changed.subarray(0, at % 3 === 0 ? at % changed.length : changed.length)
    }),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each)) },
)
