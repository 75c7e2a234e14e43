import t from 'tap'
import { defined } from '../src/defined.js'

t.test('removes undefined properties and keeps every other value', async (t) => {
  const a: string | undefined = undefined
  t.strictSame(defined({ a, b: null, c: 0, d: '', e: false }), { b: null, c: 0, d: '', e: false })
})

t.test('returns a type without undefined', async (t) => {
  const named = (label: string | undefined): { id: number; label?: string } =>
    defined({ id: 1, label })
  t.strictSame(named('phone'), { id: 1, label: 'phone' })
  t.strictSame(Object.keys(named(undefined)), ['id'])
})
