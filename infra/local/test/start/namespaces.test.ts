import t from 'tap'
import { withDemo } from '../../src/start/namespaces.js'

t.test("adds demo to the user's namespaces, and overrides none", async (t) => {
  t.match(JSON.parse(withDemo()), { demo: { recovery: true } })
  const chat = { historySize: 1 }
  t.match(JSON.parse(withDemo(JSON.stringify({ chat }))), { demo: { recovery: true }, chat })
  const own = { demo: { presence: true } }
  t.same(JSON.parse(withDemo(JSON.stringify(own))), own)
  t.equal(withDemo('{no'), '{no', 'the node says what is wrong')
})
