import t from 'tap'
import { sharedScopes } from '../../src/grants/shared-scopes.js'

t.test('returns one list for each text', async (t) => {
  t.same(sharedScopes('subscribe:* publish:news'), ['subscribe:*', 'publish:news'])
  t.same(sharedScopes(' subscribe:*  '), ['subscribe:*'])
  t.same(sharedScopes(''), [])
  t.equal(sharedScopes('subscribe:a publish:a'), sharedScopes('subscribe:a publish:a'))
  t.throws(() => Reflect.apply(Array.prototype.push, sharedScopes('subscribe:a'), ['admin']))
})

t.test('returns the right list for more texts than it keeps', async (t) => {
  const wrong = []
  for (let index = 0; index < 2500; index += 1) {
    const scope = `subscribe:${index % 1250}`
    if (sharedScopes(scope).join() !== scope) {
      wrong.push(scope)
    }
  }
  t.same(wrong, [])
})
