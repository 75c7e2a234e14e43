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
  forcePushJoinLeave: false,
  isUnknown: false,
}

t.test('finds options by the part before the first colon', async (t) => {
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
  t.same(namespaces.of('chats:room1'), off, 'a namespace that is not configured')
  t.same(namespaces.of('toString:x'), off)
  t.same(namespaces.of('constructor:x'), { ...off, clientPublish: false })
})

t.test('namespaces that are not configured are unknown, if they must be', async (t) => {
  const namespaces = readNamespaces('{"chat":{}}', true)
  t.type(namespaces, Namespaces)
  if (typeof namespaces === 'string') {
    return
  }
  const channels = ['chat:room1', 'plain', 'other:room1', 'chat2:', 'constructor:x']
  t.same(
    channels.filter((channel) => namespaces.of(channel).isUnknown),
    ['other:room1', 'chat2:', 'constructor:x'],
  )
})

t.test('names the place of an error', async (t) => {
  const cases = [
    ['', /not JSON/],
    ['[]', /^must be of type object$/],
    ['{"a b":{}}', /^a b is not a known name$/],
    ['{"chat":{"historysize":1}}', /^chat\.historysize is not a known name$/],
    ['{"chat":{"historySize":-1}}', /^chat\.historySize must be greater or equal to 0$/],
    ['{"chat":{"recovery":true}}', /chat: recovery needs a historySize/],
    ['{"chat":{"joinLeave":true}}', /chat: joinLeave needs presence/],
    ['{"chat":{"forcePushJoinLeave":true}}', /chat: forcePushJoinLeave needs joinLeave/],
  ] as const
  for (const [json, problem] of cases) {
    t.match(readNamespaces(json), problem, json)
  }
})
