import t from 'tap'
import { ChannelView, type View } from '../src/channel-view.js'

/** A view of a list, whose loads end when the test says so. */
function start() {
  const shown: View<string>[] = []
  const loads: { end(value: string): void; fail(error: unknown): void }[] = []
  const view = new ChannelView<string, string>('', {
    load: () =>
      new Promise((end, fail) => {
        loads.push({ end, fail })
      }),
    apply: (value, change) => value + change,
    onView: (view) => shown.push(view),
  })
  return { view, loads, last: () => shown.at(-1) }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

t.test('applies the changes that arrive during a load to what was loaded', async (t) => {
  const { view, loads, last } = start()
  view.subscribed(false)
  view.change('c')
  t.same(last(), { value: '', isLoading: true })
  loads[0]?.end('ab')
  await settled()
  t.same(last(), { value: 'abc', isLoading: false })
  view.change('d')
  t.same(last(), { value: 'abcd', isLoading: false })
})

t.test('loads again after a subscription that missed something, and only then', async (t) => {
  const { view, loads, last } = start()
  view.subscribed(false)
  loads[0]?.end('a')
  await settled()
  view.subscribed(true)
  t.equal(loads.length, 1)
  view.subscribed(false)
  t.equal(loads.length, 2)
  t.same(last(), { value: 'a', isLoading: true }, 'shows the value until then')
})

t.test('drops a load that a newer one replaces, and one that is closed', async (t) => {
  const { view, loads, last } = start()
  void view.load()
  view.change('x')
  void view.load()
  loads[0]?.end('old')
  await settled()
  t.same(last(), { value: '', isLoading: true })
  loads[1]?.end('new')
  await settled()
  t.same(last(), { value: 'new', isLoading: false })
  void view.load()
  view.close()
  loads[2]?.end('late')
  await settled()
  t.equal(last()?.value, 'new')
})

t.test('shows an error, keeps the value, and loads at the next subscription', async (t) => {
  const { view, loads, last } = start()
  view.subscribed(false)
  loads[0]?.end('a')
  await settled()
  view.subscribed(false)
  view.change('b')
  loads[1]?.fail({ code: 108, message: 'not available' })
  await settled()
  const error = { code: 108, message: 'not available' }
  t.same(last(), { value: 'ab', isLoading: false, error })
  view.subscribed(true)
  t.equal(loads.length, 3)
  loads[2]?.end('c')
  await settled()
  t.same(last(), { value: 'c', isLoading: false })
})
