import t from 'tap'
import { Namespaces, readNamespaces } from '../../src/hub/namespaces.js'

const off = {
  historySize: 0,
  historyTtlSeconds: 300,
  recovery: false,
  presence: false,
  joinLeave: false,
  delta: false,
  tagsFilter: false,
  clientPublish: true,
}

t.test('what comes before the first colon decides', async (t) => {
  const namespaces = readNamespaces(
    '{"chat":{"presence":true},"":{"historySize":1},"constructor":{"clientPublish":false}}',
  )
  t.type(namespaces, Namespaces)
  if (typeof namespaces === 'string') {
    return
  }
  t.same(namespaces.of('chat:room1'), { ...off, presence: true })
  t.same(namespaces.of('chat:room:2'), { ...off, presence: true })
  t.same(namespaces.of('chat'), { ...off, historySize: 1 }, 'a name without a namespace')
  t.same(namespaces.of(':x'), { ...off, historySize: 1 })
  t.same(namespaces.of('chats:room1'), off, 'one that is not configured')
  t.same(namespaces.of('toString:x'), off)
  t.same(namespaces.of('constructor:x'), { ...off, clientPublish: false })
})

t.test('what is wrong is said, with its place', async (t) => {
  const cases = [
    ['', /not JSON/],
    ['[]', /object/],
    ['{"a b":{}}', /\/a b/],
    ['{"chat":{"historysize":1}}', /\/chat\/historysize/],
    ['{"chat":{"historySize":-1}}', /\/chat\/historySize/],
    ['{"chat":{"recovery":true}}', /chat: recovery needs a historySize/],
    ['{"chat":{"joinLeave":true}}', /chat: joinLeave needs presence/],
  ] as const
  for (const [json, problem] of cases) {
    t.match(readNamespaces(json), problem, json)
  }
})
