import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { Cursor } from '../src/feed.js'
import { ChannelName, IdentityName, Label, Subject, TokenId } from '../src/names.js'

const tables = [
  [
    'an identity',
    IdentityName,
    ['admin', 'a', 'shop.eu-1', 'a'.repeat(128)],
    ['', '-a', 'a b', 'a\n', 'a'.repeat(129), 'ä'],
  ],
  [
    'a subject',
    Subject,
    ['ada', 'ada lovelace', 'ädä', '*', '{sub}'],
    ['', 'a\u0000', 'a\nb', 'a'.repeat(256)],
  ],
  ['a label', Label, ['device:phone', 'v=1'], ['', 'a b', ':a', 'a'.repeat(65)]],
  [
    'a channel',
    ChannelName,
    ['news', 'chat:room1', '#a', '$x', 'a'.repeat(255)],
    ['', 'a b', 'a*', 'a"', 'a\\', 'ä', 'a\n', 'a'.repeat(256)],
  ],
  [
    'a token id',
    TokenId,
    ['0-AAAAAAAAAAAAAAAAAAAAAA', '15-abcdefghijklmnopqrst_-'],
    ['AAAAAAAAAAAAAAAAAAAAAA', '0-A', '0-AAAAAAAAAAAAAAAAAAAAAA\n'],
  ],
  ['a cursor', Cursor, ['0-0', '12-1700000000000000,3-4'], ['', '0', '0-0,', '-1-0']],
] as const

for (const [what, schema, good, bad] of tables) {
  t.test(`bounds ${what}`, async (t) => {
    for (const value of good) {
      t.ok(Value.Check(schema, value), JSON.stringify(value))
    }
    for (const value of bad) {
      t.notOk(Value.Check(schema, value), JSON.stringify(value))
    }
  })
}
