// A token's text is decoded once, and known again while its key is in the set.
import t from 'tap'
import { DecodedTokens } from '../../src/tokens/decoded-tokens.js'
import { newTokenId } from '../../src/tokens/token-id.js'
import { keySet, part, testKey } from '../fixtures/forge.js'

const header = part({ alg: 'EdDSA', typ: 'at+jwt', kid: 'key-1' })

/** Returns decoded tokens that remember two texts, and makes texts of their issuer. */
function decodedTokens() {
  const { current } = keySet(testKey('key-1'))
  const keys = new Map([['key-1', current]])
  const reads: string[] = []
  const issuer = {
    keyOf(text: string) {
      reads.push(text)
      return text === header ? keys.get('key-1') : undefined
    },
    issuer: 'http://issuer',
    audience: 'portcullis',
  }
  const tokens = new DecodedTokens(issuer, { find: (kid) => keys.get(kid) }, 2)
  const textOf = () => {
    const jti = newTokenId(current.idSecret, 0, 'shop')
    return `${header}.${part({ iss: 'http://issuer', aud: 'portcullis', client_id: 'shop', jti })}.signature`
  }
  return { tokens, keys, reads, textOf }
}

t.test('decodes a text once', async (t) => {
  const { tokens, reads, textOf } = decodedTokens()
  const text = textOf()
  const first = tokens.decode(text)
  t.equal(first?.text, text)
  t.equal(tokens.decode(text), first)
  t.equal(reads.length, 1)
})

t.test('remembers no text of no token', async (t) => {
  const { tokens, textOf } = decodedTokens()
  t.equal(tokens.decode(`${textOf().slice(0, -12)}.signature`), undefined)
  t.equal(tokens.decode('x'), undefined)
  t.equal(tokens.size, 0)
})

t.test('does not know a token whose key was removed or replaced', async (t) => {
  const { tokens, keys, textOf } = decodedTokens()
  const text = textOf()
  t.ok(tokens.decode(text))
  keys.delete('key-1')
  t.equal(tokens.decode(text), undefined)
  t.equal(tokens.size, 0)
  const other = keySet(testKey('key-1')).current
  keys.set('key-1', other)
  t.equal(tokens.decode(text), undefined, 'the id was made with the first key')
})

t.test('forgets the oldest text', async (t) => {
  const { tokens, reads, textOf } = decodedTokens()
  const [oldest, ...others] = [textOf(), textOf(), textOf()]
  for (const text of [oldest, ...others]) {
    tokens.decode(text)
  }
  t.equal(tokens.size, 2)
  tokens.decode(others[0] ?? '')
  t.equal(reads.length, 3)
  tokens.decode(oldest)
  t.equal(reads.length, 4)
})
