import { Writable } from 'node:stream'
import t from 'tap'
import { live } from '../../src/output/live.js'

/** A terminal that records the last write. */
function terminal(columns: number, rows: number) {
  let last = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      last = String(chunk)
      done()
    },
  })
  return Object.assign(stream, { columns, rows, isTTY: true, last: () => last })
}

t.test('cuts lines to the width and keeps colour changes', async (t) => {
  const screen = terminal(6, 24)
  live(screen).draw('\u001b[32mabcdefgh\u001b[39m\n山田a😀x')
  t.equal(screen.last(), '\u001b[32mabcde\u001b[39m\u001b[K\n山田a\u001b[K\n\u001b[J')
})

t.test('leaves out lines before the last one when there are too many', async (t) => {
  const screen = terminal(20, 4)
  live(screen).draw('1\n2\n3\n4\n5')
  t.equal(screen.last().replaceAll('\u001b[K', ''), '1\n2\n5\n\u001b[J')
})

t.test('erases all lines, also after the terminal has become narrower', async (t) => {
  const screen = terminal(21, 24)
  const { draw, clear } = live(screen)
  clear()
  t.equal(screen.last(), '', 'nothing to erase')
  draw('12345678901234567890\n\nend')
  draw('12345678901234567890\n\nend')
  t.ok(screen.last().startsWith('\r\u001b[3A12345'))
  screen.columns = 10
  clear()
  t.equal(screen.last(), '\r\u001b[4A\u001b[J', 'the first line takes two rows now')
  draw('x')
  t.equal(screen.last(), 'x\u001b[K\n\u001b[J')
})
