import t from 'tap'
import { clock, relative, span } from '../../src/output/time.js'

t.test('durations show days and hours, hours and minutes, minutes, or seconds', async (t) => {
  t.equal(span(0), '0s')
  t.equal(span(59.6), '1m')
  t.equal(span(3_900), '1h 5m')
  t.equal(span(3_605), '1h')
  t.equal(span(3_599), '59m')
  t.equal(span(45), '45s')
  t.equal(span(90_061), '1d 1h')
  t.equal(span(-5), '0s')
})

t.test('times are relative to now', async (t) => {
  t.equal(relative(61_000, 1_000), 'in 1m')
  t.equal(relative(1_000, 61_000), '1m ago')
  t.equal(relative(1_000, 1_000), '0s ago')
})

t.test('the time of day has milliseconds', async (t) => {
  t.equal(clock(new Date(2026, 0, 2, 3, 4, 5, 6).getTime()), '03:04:05.006')
})
