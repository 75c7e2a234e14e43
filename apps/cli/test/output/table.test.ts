import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
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

t.test('cuts the widest column in a narrow terminal, but never an id', async (t) => {
  const id = '0-abcdefghijklmnopqrstuv'
  const drawn = table(columns, [[id, 'a'.repeat(100), 'short']], plain(60))
  const line = drawn.split('\n')[1] ?? ''
  t.equal(line.length <= 60, true, `${line.length} columns`)
  t.match(line, new RegExp(`^${id}  a+…  short$`))
  const narrow = table(columns, [[id, 'ada lovelace', '']], plain(30))
  t.match(narrow, new RegExp(`${id}  ada lo…$`), 'even when the id is the widest')
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
  const property = fc.property(
    fc.array(fc.tuple(fc.string({ maxLength: 24 }), fc.string(), fc.string()), { minLength: 1 }),
    fc.integer({ min: 160, max: 300 }),
    (rows, width) => {
      const lines = table(columns, rows, plain(width)).split('\n')
      return (
        lines.length === rows.length + 1 &&
        lines.every((line) => stripVTControlCharacters(line).length <= width)
      )
    },
  )
  t.doesNotThrow(() => fc.assert(property))
})
