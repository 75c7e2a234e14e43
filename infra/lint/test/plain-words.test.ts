import t from 'tap'
import { findBannedWords } from '../plain-words.js'

const phrases = (text: string) => findBannedWords(text).map(({ phrase }) => phrase)

t.test('finds each banned phrase, with its line', async (t) => {
  t.match(findBannedWords('first\n// nobody asks, as it is late\n'), [
    { line: 2, phrase: 'nobody', advice: /name who/ },
    { line: 2, phrase: 'as it is' },
  ])
  t.same(phrases('a token that is none of ours'), ['is none'])
  t.same(phrases('closes none of the sockets'), ['none of'])
  t.same(phrases('there are none'), ['are none'])
  t.same(phrases('Everyone waits'), ['Everyone'])
  t.same(phrases('keeps what there is, from here on'), ['what there is', 'from here on'])
  t.same(phrases('a socket that stands on it'), ['stands on'])
  t.same(phrases('for who has to know so much'), ['so much', 'who has to'])
  t.same(phrases('no more at that.'), ['at that'])
})

t.test('finds comments that begin with the wrong verb', async (t) => {
  t.same(phrases('/** Gives the token. */'), ['/** Gives'])
  t.same(phrases('   * Whether it is open.'), ['* Whether'])
  t.same(phrases('-- Gives 1 when it was new.'), ['-- Gives'])
  t.same(phrases('// Says whether it is open.'), ['Says whether'])
  t.same(phrases('// Opens it. Gives the key.'), ['. Gives'])
})

t.test('leaves ordinary sentences alone', async (t) => {
  t.same(phrases('/** Returns whether the token gives access at that time. */'), [])
  t.same(phrases('const nobodyElse = noneOf(tokens)'), [])
  t.same(phrases(''), [])
})
