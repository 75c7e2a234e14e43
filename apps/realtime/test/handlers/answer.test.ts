import { JsonText } from '@portcullis/protocol'
import t from 'tap'
import { readAnswer } from '../../src/handlers/answer.js'

t.test('reads a result, an error, or a disconnect', async (t) => {
  const cases: [object | string, unknown][] = [
    [{ result: { data: { a: 1 } } }, { result: { data: JsonText.of({ a: 1 }) } }],
    [{ result: { data: null } }, { result: { data: JsonText.of(null) } }],
    [{ result: { b64data: '/w==' } }, { result: { data: Buffer.of(0xff) } }],
    [{ result: { b64data: 'eyJhIjoxfQ==' } }, { result: { data: JsonText.of({ a: 1 }) } }],
    [{ result: { b64data: '', data: 1 } }, { result: { data: JsonText.of(1) } }],
    [{ result: {} }, { result: {} }],
    ['', { result: {} }],
    [{ result: { user: 'eve', info: 1, subs: 7 } }, { result: {} }],
    [{ result: { expire_at: 1700000000 } }, { result: { expiresAt: 1_700_000_000_000 } }],
    [{ result: { expired: true } }, { result: { expired: true } }],
    [{ result: { skip_history: true } }, { result: { skipHistory: true } }],
    [
      { result: { tags: { a: 'b' }, idempotency_key: 'k', version: 2 } },
      { result: { tags: { a: 'b' }, idempotencyKey: 'k', version: { number: 2, epoch: '' } } },
    ],
    [
      { result: { version: 2, version_epoch: 'e' } },
      { result: { version: { number: 2, epoch: 'e' } } },
    ],
    [{ result: { idempotency_key: '', version: 0, version_epoch: '' } }, { result: {} }],
    [{ result: { expire_at: 0, expired: false, skip_history: false } }, { result: {} }],
    [{ result: { expire_at: null, expired: null, skip_history: null } }, { result: {} }],
    [{ result: { channels: ['news'] } }, { result: { channels: ['news'] } }],
    [{ result: { channels: null } }, { result: {} }],
    [{ error: { code: 1000, message: 'no' } }, { error: { code: 1000, message: 'no' } }],
    [
      { error: { code: 1000, message: 'no', temporary: true, trace: 'x' }, result: null },
      { error: { code: 1000, message: 'no', temporary: true } },
    ],
    [
      { disconnect: { code: 4501, reason: 'bye' }, error: { code: 1, message: '' } },
      { disconnect: { code: 4501, reason: 'bye' } },
    ],
  ]
  for (const [body, answer] of cases) {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    t.same(readAnswer(text), answer, text)
  }
})

t.test('keeps data as the handler wrote it', async (t) => {
  const data = '{"id":9223372036854775807, "id":1e400}'
  t.match(readAnswer(`{"data":1,"result":{"data":0,"data":${data}}}`), {
    result: { data: { text: data } },
  })
})

t.test('rejects malformed answers', async (t) => {
  const wrong = [
    'x',
    '[]',
    'null',
    '{}',
    '{"result":null}',
    '{"result":7}',
    '{"result":{"channels":7}}',
    '{"result":{"channels":["no channel"]}}',
    '{"result":{"expire_at":"soon"}}',
    '{"result":{"expire_at":-1}}',
    '{"result":{"expire_at":1e15}}',
    '{"result":{"expired":1}}',
    '{"result":{"tags":{"a":1}}}',
    '{"result":{"version":1.5}}',
    '{"result":{"b64data":"not base64!"}}',
    `{"result":{"data":${'['.repeat(513)}${']'.repeat(513)}}}`,
    '{"error":{"code":0,"message":"x"}}',
    '{"error":{"code":4294967296,"message":"x"}}',
    '{"error":{"code":1}}',
    '{"disconnect":{"code":1000,"reason":"x"}}',
    '{"disconnect":{"code":5000,"reason":"x"}}',
    JSON.stringify({ disconnect: { code: 4501, reason: 'ü'.repeat(62) } }),
  ]
  for (const text of wrong) {
    t.equal(readAnswer(text), undefined, text)
  }
  const longest = { disconnect: { code: 4501, reason: 'x'.repeat(123) } }
  t.same(readAnswer(JSON.stringify(longest)), longest)
})
