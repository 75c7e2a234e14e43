import type { Benchmark } from './benchmark.js'
import { monotonicMs } from './clients/swarm-calls.js'
import { type Backend, type Installation, prefix, startInstallation } from './installation.js'
import { batches, type Filled, fill, rare } from './inventory/fill.js'
import { alternate } from './measure/rounds.js'
import { median } from './measure/statistics.js'

/** A registry filled with tokens of one identity. */
interface Stock extends Filled {
  installation: Installation
  identity: string
  backend: Backend
  /** Number of times each call was made. */
  calls: Map<string, number>
}

/** A request to auth; `turn` counts the requests, so that each revokes other tokens. */
type Call = (stock: Stock, turn: number) => Promise<Record<string, unknown>>

/** Runs first: the revocations below also cover the token with which the backend issues. */
const issuing: Readonly<Record<string, Call>> = {
  'issue a token': async ({ backend }) => ({ issued: await backend.tokens(1) }),
}

const calls: Readonly<Record<string, Call>> = {
  'first page of the identity': (stock) => list(stock, ''),
  'page from the middle': (stock) => list(stock, `&cursor=${stock.middle}`),
  'page of a rare subject': (stock) => list(stock, `&subject=${rare.subject}`),
  'page of a rare label': (stock) => list(stock, `&label=${rare.label}`),
  'page of what is revoked': (stock) => list(stock, '&state=revoked'),
  'count of the identity': (stock) => count(stock, ''),
  'count of a label that all have': (stock) => count(stock, '&label=device:phone'),
  'dry run, the identity': ({ installation, identity }) =>
    installation.api('/v1/revocations', { identity, dryRun: true }),
  'revoke a token': ({ installation, jtis }, turn) =>
    installation.api('/v1/revocations', { token: jtis[turn % jtis.length] }),
  'revoke a subject': ({ installation, identity }, turn) =>
    installation.api('/v1/revocations', { identity, subject: `user-${90 - turn}` }),
  'revoke a label': ({ installation, identity }, turn) =>
    installation.api('/v1/revocations', { identity, label: `batch:${turn % batches}` }),
  'revoke a tenth of the identity': ({ installation, identity, tenths }, turn) =>
    installation.api('/v1/revocations', { identity, issuedBefore: tenths[turn % tenths.length] }),
}

/** Compares pages, counts and revocations in a registry of a million tokens and of a thousand. */
export const inventory: Benchmark = async ({ stage, quick, progress }) => {
  const [few, many] = quick ? [1000, 5000] : [1000, 1_000_000]
  const rounds = quick ? 1 : 9
  const stocks: Stock[] = []
  for (const count of [few, many]) {
    progress('starting the servers')
    const installation = await startInstallation(stage, { nodes: 0 })
    const backend = await installation.newIdentity()
    const { identity } = backend
    const filled = await fill({ url: installation.redis.url, prefix }, identity, count, (done) =>
      progress(`issuing ${count} tokens: ${done}`),
    )
    stocks.push({ ...filled, installation, identity, backend, calls: new Map() })
  }
  const figures = new Map<string, number[]>()
  for (const some of [issuing, calls]) {
    const contenders = Object.entries(some).flatMap(([name, call]) =>
      stocks.map((stock, index) => ({
        name: `${name}/${index}`,
        run: () => timed(stock, name, call),
      })),
    )
    for (const [name, found] of await alternate(contenders, rounds, progress)) {
      figures.set(name, found)
    }
  }
  const [fewBytes, manyBytes] = stocks.map(({ bytes }) => bytes)
  const millisecondsOf = (name: string, index: number) =>
    median(figures.get(`${name}/${index}`) ?? [])

  return {
    name: 'inventory',
    title: 'The inventory: a large registry against a small one',
    columns: [
      { key: 'fewMs', title: `${few} tokens, ms`, digits: 2 },
      { key: 'manyMs', title: `${many} tokens, ms`, digits: 2 },
      { key: 'ratio', title: 'ratio', digits: 2 },
    ],
    rows: Object.keys({ ...issuing, ...calls }).map((name) => {
      const [fewMs, manyMs] = [millisecondsOf(name, 0), millisecondsOf(name, 1)]
      return { name, figures: { fewMs, manyMs, ratio: manyMs / fewMs } }
    }),
    conditions: [
      'From sending the HTTP request to having the answer, one at a time; medians over the rounds. Each size has an installation of its own, with all tokens of one identity; Redis writes each command to disk before it answers.',
      `Pages have 100 tokens. The rare subject and the rare label have ${rare.tokens} tokens, in both spread over all. ${rounds} rounds after one warm-up round; revocations are of other tokens in each, and cover as many as before in both, but for the tenth of the identity.`,
      `Redis memory for each token, with a subject, one label or two, and a scope: ${bytes(manyBytes?.all)} bytes, of these ${bytes(manyBytes?.index)} in the index (${bytes(fewBytes?.all)} and ${bytes(fewBytes?.index)} with ${few}).`,
    ],
  }
}

async function timed(stock: Stock, name: string, call: Call): Promise<number> {
  const turn = stock.calls.get(name) ?? 0
  stock.calls.set(name, turn + 1)
  const start = monotonicMs()
  await call(stock, turn)
  return monotonicMs() - start
}

function list({ installation, identity }: Stock, more: string) {
  return installation.get(`/v1/tokens?identity=${identity}&limit=100${more}`)
}

async function count({ installation, identity }: Stock, more: string) {
  const answer = await installation.get(`/v1/tokens/count?identity=${identity}${more}`)
  if (answer['exact'] !== true) {
    throw new Error('a count is not exact')
  }
  return answer
}

function bytes(value = Number.NaN): string {
  return value.toFixed(0)
}
