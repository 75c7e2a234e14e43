import t from 'tap'
import { readTagFilter, type Tags } from '../../src/tag-filter/read-tag-filter.js'

const stock: Tags = { ticker: 'AAPL', source: 'NASDAQ', price: '150.25', volume: '1000', none: '' }

function matches(filter: unknown, tags = stock): boolean {
  const read = readTagFilter(filter)
  if (read === undefined) {
    throw new Error(`not a filter: ${JSON.stringify(filter)}`)
  }
  return read.matches(tags)
}

t.test('evaluates each comparison', async (t) => {
  const table: [node: object, yes: string[], no: (string | undefined)[]][] = [
    [{ cmp: 'eq', val: 'AAPL' }, ['AAPL'], ['aapl', 'AAPLE', '', undefined]],
    [{ cmp: 'sw', val: 'AA' }, ['AAPL', 'AA'], ['A', 'BAA', undefined]],
    [{ cmp: 'ew', val: 'PL' }, ['AAPL', 'PL'], ['PLA', undefined]],
    [{ cmp: 'ct', val: 'AP' }, ['AAPL', 'AP'], ['A-P', undefined]],
    [{ cmp: 'in', vals: ['a', 'b'] }, ['a', 'b'], ['c', 'ab', undefined]],
    [{ cmp: 'ex' }, ['a', ''], [undefined]],
    [{ cmp: 'gt', val: '2' }, ['10', '2.0001', '+3'], ['2', '2.000', '-10', '1e3', 'x', undefined]],
    [{ cmp: 'gte', val: '-2.5' }, ['-2.5', '-2.50', '0'], ['-2.6', '-10', undefined]],
    [{ cmp: 'lt', val: '9007199254740993' }, ['9007199254740992', '-1'], ['9007199254740993', '']],
    [{ cmp: 'lte', val: '2' }, ['2', '2.0', '-2'], ['2.0000000000000000001', 'x', undefined]],
    [{ cmp: 'lt', val: 'x' }, [], ['1', 'a', undefined]],
  ]
  const tagged = (value: string | undefined): Tags => (value === undefined ? {} : { key: value })
  for (const [node, yes, no] of table) {
    const name = JSON.stringify(node)
    for (const value of yes) {
      t.ok(matches({ key: 'key', ...node }, tagged(value)), `${name} ${value}`)
    }
    for (const value of no) {
      t.notOk(matches({ key: 'key', ...node }, tagged(value)), `${name} ${value}`)
    }
  }
  const opposites = [
    [
      { cmp: 'eq', val: 'a' },
      { cmp: 'neq', val: 'a' },
    ],
    [
      { cmp: 'in', vals: ['a', ''] },
      { cmp: 'nin', vals: ['a', ''] },
    ],
    [{ cmp: 'ex' }, { cmp: 'nex' }],
  ]
  for (const [one, other] of opposites) {
    for (const value of ['a', 'b', '', undefined]) {
      t.not(
        matches({ key: 'key', ...one }, tagged(value)),
        matches({ key: 'key', ...other }, tagged(value)),
        `${JSON.stringify(one)} ${value}`,
      )
    }
  }
})

t.test('evaluates and, or, not', async (t) => {
  const apple = { key: 'ticker', cmp: 'eq', val: 'AAPL' }
  const dear = { key: 'price', cmp: 'gt', val: '1000' }
  t.ok(matches({ op: 'or', nodes: [dear, apple] }))
  t.notOk(matches({ op: 'and', nodes: [apple, dear] }))
  t.ok(matches({ op: 'and', nodes: [apple] }))
  t.ok(matches({ op: 'and', nodes: [apple, { op: 'not', nodes: [dear] }] }))
  t.notOk(matches({ op: 'not', nodes: [{ op: 'or', nodes: [dear, apple] }] }))
})

t.test('ignores inherited properties of the tags', async (t) => {
  t.notOk(matches({ key: 'constructor', cmp: 'ex' }))
  t.ok(matches({ key: '', cmp: 'nex' }))
  t.ok(matches({ key: '', cmp: 'ex' }, { '': 'x' }))
  t.ok(matches({ key: '__proto__', cmp: 'eq', val: 'x' }, JSON.parse('{"__proto__":"x"}')))
})

t.test('only equal filters have equal keys', async (t) => {
  const key = (filter: unknown) => readTagFilter(filter)?.key
  const leaf = { key: 'a', cmp: 'eq', val: 'b' }
  t.equal(key({ val: 'b', op: '', cmp: 'eq', key: 'a', vals: [], nodes: [] }), key(leaf))
  const keys = [
    leaf,
    { ...leaf, cmp: 'neq' },
    { key: 'a', cmp: 'in', vals: ['b'] },
    { key: 'a', cmp: 'in', vals: ['b', 'c'] },
    { key: 'a', cmp: 'in', vals: ['b,c'] },
    { op: 'and', nodes: [leaf] },
    { op: 'or', nodes: [leaf] },
    { op: 'or', nodes: [leaf, leaf] },
    { op: 'or', nodes: [{ op: 'or', nodes: [leaf] }, leaf] },
    { op: 'or', nodes: [{ op: 'or', nodes: [leaf, leaf] }] },
  ].map(key)
  t.equal(new Set(keys).size, keys.length)
  t.notOk(keys.includes(undefined))
})

t.test('rejects invalid filters', async (t) => {
  const leaf = { key: 'a', cmp: 'eq', val: 'b' }
  const wrong = [
    'a',
    [],
    7,
    {},
    { key: 'a' },
    { key: 'a', cmp: 'like', val: 'b' },
    { key: 'a', cmp: 'toString', val: 'b' },
    { cmp: 'eq', val: 'b' },
    { key: 'a', cmp: 'eq' },
    { key: 'a', cmp: 'eq', val: 1 },
    { key: 'a', cmp: 'eq', val: 'b', vals: ['c'] },
    { key: 'a', cmp: 'in' },
    { key: 'a', cmp: 'in', vals: [] },
    { key: 'a', cmp: 'in', vals: ['b'], val: 'b' },
    { key: 'a', cmp: 'nin', vals: [1] },
    { key: 'a', cmp: 'ex', val: 'b' },
    { key: 'a', cmp: 'nex', vals: ['b'] },
    { op: 'xor', nodes: [leaf] },
    { op: 'and' },
    { op: 'or', nodes: [] },
    { op: 'not', nodes: [leaf, leaf] },
    { op: 'and', nodes: [leaf, {}] },
    { op: 'and', nodes: 'a' },
  ]
  for (const filter of wrong) {
    t.equal(readTagFilter(filter), undefined, JSON.stringify(filter))
  }
})

t.test('limits size and depth', async (t) => {
  const leaf = { key: 'a', cmp: 'eq', val: 'b' }
  const deep = (depth: number): object =>
    depth === 1 ? leaf : { op: 'not', nodes: [deep(depth - 1)] }
  t.ok(readTagFilter(deep(8)))
  t.equal(readTagFilter(deep(9)), undefined)
  t.equal(readTagFilter(deep(5000)), undefined)
  const wide = (nodes: number) => ({ op: 'or', nodes: Array.from({ length: nodes }, () => leaf) })
  t.ok(readTagFilter(wide(127)))
  t.equal(readTagFilter(wide(128)), undefined)
  t.equal(readTagFilter({ op: 'or', nodes: [wide(63), wide(63)] }), undefined)
  const many = (vals: number) => ({ key: 'a', cmp: 'in', vals: Array(vals).fill('b') })
  t.ok(readTagFilter(many(1024)))
  t.equal(readTagFilter({ op: 'or', nodes: [many(1000), many(25)] }), undefined)
  t.equal(readTagFilter({ ...leaf, val: 'b'.repeat(256) }), undefined)
})
