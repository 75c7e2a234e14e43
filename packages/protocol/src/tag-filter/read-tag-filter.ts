import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { readDecimal } from './read-decimal.js'

export type Tags = Readonly<Record<string, string>>

/** Selects publications by their tags. */
export interface TagFilter {
  /** Equal for filters with equal text. */
  readonly key: string
  matches(tags: Tags): boolean
}

const maxDepth = 8
const maxNodes = 128
const maxValues = 1024
const Text = Type.String({ maxLength: 255 })

/** One node of a filter. The schema does not check `nodes`, so that `maxDepth` bounds the work. */
const FilterNode = Type.Object({
  op: Type.Optional(Text),
  key: Type.Optional(Text),
  cmp: Type.Optional(Text),
  val: Type.Optional(Text),
  vals: Type.Optional(Type.Array(Text, { maxItems: maxValues })),
  nodes: Type.Optional(Type.Array(Type.Unknown(), { maxItems: maxNodes })),
})

const filterNode = TypeCompiler.Compile(FilterNode)

type Matches = TagFilter['matches']

/** Returns the filter of a `subscribe`; undefined when it is invalid or too large. */
export function readTagFilter(value: unknown): TagFilter | undefined {
  return readNode(value, maxDepth, { nodes: maxNodes, values: maxValues })
}

/** The nodes and values that the rest of a filter may have. */
interface Budget {
  nodes: number
  values: number
}

function readNode(value: unknown, depth: number, budget: Budget): TagFilter | undefined {
  if (depth === 0 || !filterNode.Check(value)) {
    return undefined
  }
  const { op = '', nodes = [], vals = [] } = value
  budget.nodes -= 1
  budget.values -= vals.length
  if (budget.nodes < 0 || budget.values < 0) {
    return undefined
  }
  if (op === '') {
    return readComparison(value)
  }
  const inner: TagFilter[] = []
  for (const node of nodes) {
    const read = readNode(node, depth - 1, budget)
    if (read === undefined) {
      return undefined
    }
    inner.push(read)
  }
  const matches = combined(op, inner)
  return matches && { key: `${op}(${inner.map(({ key }) => key).join()})`, matches }
}

function combined(op: string, [first, ...others]: TagFilter[]): Matches | undefined {
  if (first === undefined) {
    return undefined
  }
  const all = [first, ...others]
  if (op === 'and') {
    return (tags) => all.every((each) => each.matches(tags))
  }
  if (op === 'or') {
    return (tags) => all.some((each) => each.matches(tags))
  }
  return op === 'not' && others.length === 0 ? (tags) => !first.matches(tags) : undefined
}

function readComparison(node: Static<typeof FilterNode>): TagFilter | undefined {
  const { key = '', cmp = '', val = '', vals = [] } = node
  const matches = comparison(cmp, key, val, vals)
  return matches && { key: JSON.stringify([cmp, key, val, vals]), matches }
}

function comparison(
  cmp: string,
  key: string,
  val: string,
  vals: readonly string[],
): Matches | undefined {
  if (cmp === 'ex' || cmp === 'nex') {
    if (val !== '' || vals.length > 0) {
      return undefined
    }
    const wanted = cmp === 'ex'
    return (tags) => (tagOf(tags, key) !== undefined) === wanted
  }
  if (key === '') {
    return undefined
  }
  if (cmp === 'in' || cmp === 'nin') {
    if (val !== '' || vals.length === 0) {
      return undefined
    }
    const wanted = cmp === 'in'
    const set = new Set(vals)
    // A missing tag counts as an empty one here, as in other servers of this protocol.
    return (tags) => set.has(tagOf(tags, key) ?? '') === wanted
  }
  if (val === '' || vals.length > 0) {
    return undefined
  }
  if (cmp === 'neq') {
    return (tags) => tagOf(tags, key) !== val
  }
  const holds = comparisons(val).get(cmp)
  if (holds === undefined) {
    return undefined
  }
  return (tags) => {
    const tag = tagOf(tags, key)
    return tag !== undefined && holds(tag)
  }
}

/** Returns the comparisons that are false for a missing tag, by their `cmp`. */
function comparisons(val: string): ReadonlyMap<string, (tag: string) => boolean> {
  const number = readDecimal(val)
  const numeric = (holds: (tag: bigint, to: bigint) => boolean) => (tag: string) => {
    const read = number === undefined ? undefined : readDecimal(tag)
    return number !== undefined && read !== undefined && holds(read, number)
  }
  return new Map([
    ['eq', (tag: string) => tag === val],
    ['sw', (tag: string) => tag.startsWith(val)],
    ['ew', (tag: string) => tag.endsWith(val)],
    ['ct', (tag: string) => tag.includes(val)],
    ['gt', numeric((tag, to) => tag > to)],
    ['gte', numeric((tag, to) => tag >= to)],
    ['lt', numeric((tag, to) => tag < to)],
    ['lte', numeric((tag, to) => tag <= to)],
  ])
}

/** Publishers may name a tag `constructor`. */
function tagOf(tags: Tags, key: string): string | undefined {
  return Object.hasOwn(tags, key) ? tags[key] : undefined
}
