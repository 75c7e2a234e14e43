import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { coversToken, Revoke, type Selector } from '../src/revocations.js'

const token = {
  jti: '0-AAAAAAAAAAAAAAAAAAAAAA',
  identity: 'shop',
  subject: 'ada',
  labels: ['device:phone'],
  parents: ['0-PPPPPPPPPPPPPPPPPPPPPP', '0-GGGGGGGGGGGGGGGGGGGGGG'],
  issuedUs: 1000,
}

const cases: [name: string, selector: Selector, covered: boolean][] = [
  ['its jti', { jti: token.jti }, true],
  ['another jti', { jti: '0-BBBBBBBBBBBBBBBBBBBBBB' }, false],
  ['its parent', { jti: '0-PPPPPPPPPPPPPPPPPPPPPP' }, false],
  ['its parent, with cascade', { jti: '0-PPPPPPPPPPPPPPPPPPPPPP', cascade: true }, true],
  ['its grandparent, with cascade', { jti: '0-GGGGGGGGGGGGGGGGGGGGGG', cascade: true }, true],
  ['its jti, with cascade', { jti: token.jti, cascade: true }, true],
  ['another jti, with cascade', { jti: '0-BBBBBBBBBBBBBBBBBBBBBB', cascade: true }, false],
  ['its identity', { identity: 'shop' }, true],
  ['another identity', { identity: 'bank' }, false],
  ['its subject', { identity: 'shop', subject: 'ada' }, true],
  ['another subject', { identity: 'shop', subject: 'bob' }, false],
  ['its subject at another identity', { identity: 'bank', subject: 'ada' }, false],
  ['its label', { identity: 'shop', label: 'device:phone' }, true],
  ['another label', { identity: 'shop', label: 'device:desk' }, false],
  ['its label at another identity', { identity: 'bank', label: 'device:phone' }, false],
  ['all', { all: true }, true],
]

for (const [name, selector, covered] of cases) {
  t.test(
    `a selector with ${name} ${covered ? 'covers' : 'does not cover'} the token`,
    async (t) => {
      t.equal(coversToken({ selector, cutoffUs: 2000 }, token), covered)
      t.equal(coversToken({ selector, cutoffUs: 1000 }, token), covered, 'the cut-off is inclusive')
      t.equal(
        coversToken({ selector, cutoffUs: 999 }, token),
        false,
        'does not cover a token issued after the cut-off',
      )
    },
  )
}

t.test('Revoke accepts the options of a revocation, and only true for all', async (t) => {
  t.ok(Value.Check(Revoke, { token: 'x', reason: 'stolen', wait: 500 }))
  t.ok(Value.Check(Revoke, { identity: 'shop', label: 'device:phone', dryRun: true }))
  t.ok(Value.Check(Revoke, { token: 'x', cascade: true }))
  t.notOk(Value.Check(Revoke, { all: false }))
})
