import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import stringWidth from 'string-width'
import t from 'tap'
import { type Column, table } from '../../src/output/table.js'

type Row = [string, string, string]

const columns: Column<Row>[] = [
  { head: 'ID', value: (row) => row[0], whole: true },
  { head: 'SUBJECT', value: (row) => row[1] },
  { head: 'LABELS', value: (row) => row[2] },
]
const plain = (width: number | undefined) => ({ width, head: (text: string) => text })

t.test('columns are as wide as needed, without frames or trailing space', async (t) => {
  const drawn = table(columns, [['0-abc', 'ada', 'x y']], plain(80))
  t.same(drawn.split('\n'), ['ID     SUBJECT  LABELS', '0-abc  ada      x y'])
})

t.test('cuts the widest column in a terminal of 80 columns, but never an id', async (t) => {
  const id = '0-abcdefghijklmnopqrstuv'
  const drawn = table(columns, [[id, 'a'.repeat(100), 'labels']], plain(80))
  const line = drawn.split('\n')[1] ?? ''
  t.equal(line.length, 80)
  t.match(line, new RegExp(`^${id}  a+…  labels$`))
})

t.test('below 80 columns a table that fits stays a table', async (t) => {
  const drawn = table(columns, [['0-abc', 'ada', 'x y']], plain(22))
  t.same(drawn.split('\n'), ['ID     SUBJECT  LABELS', '0-abc  ada      x y'])
})

t.test('below 80 columns rows that do not fit become blocks, and nothing is cut', async (t) => {
  const labels = 'device:phone team:shop region:eu-west'
  const rows: Row[] = [
    ['0-abcdefghijklmnopqrstuv', 'ada', labels],
    ['0-b', '', 'short'],
  ]
  t.same(table(columns, rows, plain(40)).split('\n'), [
    'ID       0-abcdefghijklmnopqrstuv',
    'SUBJECT  ada',
    'LABELS   device:phone team:shop',
    '         region:eu-west',
    '',
    'ID       0-b',
    'LABELS   short',
  ])
})

t.test('rows become blocks when ids leave no room for the other columns', async (t) => {
  const id = 'i'.repeat(70)
  t.same(table(columns, [[id, 'ada lovelace', 'x']], plain(80)).split('\n'), [
    `ID       ${id}`,
    'SUBJECT  ada lovelace',
    'LABELS   x',
  ])
})

t.test('measures CJK and emoji as terminals do', async (t) => {
  const rows: Row[] = [
    ['1', '山田太郎', 'x'],
    ['2', '👩‍👩‍👧 é', 'x'],
    ['3', 'ada', 'x'],
  ]
  for (const width of [undefined, 80]) {
    t.same(table(columns, rows, plain(width)).split('\n'), [
      'ID  SUBJECT   LABELS',
      '1   山田太郎  x',
      '2   👩‍👩‍👧 é      x',
      '3   ada       x',
    ])
  }
  const cut = table(columns, [['1', '山'.repeat(60), 'x']], plain(80)).split('\n')[1]
  t.equal(cut, `1   ${'山'.repeat(33)}…   x`, 'no half character')
})

t.test('has no trailing spaces, also with colours', async (t) => {
  const paint = (text: string) => `\u001b[32m${text}\u001b[39m`
  const painted = columns.map((column) => ({ ...column, paint }))
  const drawn = table(
    painted,
    [
      ['1', 'ada', 'x'],
      ['2', 'b', ''],
      ['3', '', ''],
    ],
    {
      width: undefined,
      head: paint,
    },
  )
  for (const line of drawn.split('\n')) {
    t.equal(stripVTControlCharacters(line), stripVTControlCharacters(line).trimEnd())
  }
})

t.test('cuts nothing in a pipe', async (t) => {
  const long = 'a'.repeat(300)
  t.match(table(columns, [['1', long, '']], plain(undefined)), long)
})

t.test('escapes control characters in values', async (t) => {
  const drawn = table(columns, [['1', '\u001b[2Jada\nroot\u202e', '\u009b31m']], plain(80))
  t.equal(drawn.split('\n').length, 2)
  t.match(drawn, /\\u001b\[2Jada\\u000aroot\\u202e {2}\\u009b31m/)
})

t.test('no line is wider than the terminal when ids leave room', async (t) => {
  const text = () => fc.string({ unit: 'grapheme', maxLength: 40 })
  const property = fc.property(
    fc.array(fc.tuple(fc.string({ maxLength: 4 }), text(), text()), { minLength: 1 }),
    fc.integer({ min: 80, max: 300 }),
    (rows, width) => {
      const lines = table(columns, rows, plain(width)).split('\n')
      return (
        lines.length === rows.length + 1 &&
        lines.every((line) => stringWidth(line) <= width && line === line.trimEnd())
      )
    },
  )
  t.doesNotThrow(() => fc.assert(property))
})
