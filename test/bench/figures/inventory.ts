import { monotonicMs } from '../clients/swarm-calls.js'
import type { Figure } from '../figure.js'
import { type Backend, type Installation, prefix, startInstallation } from '../installation.js'
import { batches, type Filled, fill, rare } from './fill-registry.js'

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

/** Compares pages, counts and revocations in a registry of 200,000 tokens and of a thousand. */
export const inventory: Figure = async ({ stage, quick, progress }) => {
  const sizes = quick ? [5000, 1000] : [200_000, 1000]
  const stocks: Stock[] = []
  for (const count of sizes) {
    progress('starting the servers')
    const installation = await startInstallation(stage, {
      nodes: 0,
      authEnv: { MAX_TOKENS_PER_IDENTITY: '1000000' },
    })
    const backend = await installation.newIdentity()
    const { identity } = backend
    const filled = await fill({ url: installation.redis.url, prefix }, identity, count, (done) =>
      progress(`issuing ${count} tokens: ${done}`),
    )
    stocks.push({ ...filled, installation, identity, backend, calls: new Map() })
  }
  const [most] = stocks
  return {
    title: 'Inventory: time of a request to auth in a large registry and in a small one',
    columns: [{ key: 'time', title: 'time ms', digits: 2 }],
    cases: Object.entries({ ...issuing, ...calls }).map(([name, call]) => ({
      name,
      sides: stocks.map((stock, index) => ({
        name: `${sizes[index]} tokens`,
        run: async () => ({ time: await timed(stock, name, call) }),
      })),
    })),
    rounds: 9,
    warmUp: 10,
    conditions: [
      'From sending the HTTP request to having the answer, one at a time. Each size has an installation of its own, with all tokens of one identity; Redis writes each command to disk before it answers.',
      `Pages have 100 tokens. A rare subject or label has ${rare.tokens} tokens, in both sizes spread over all. Revocations are of other tokens in each round, and cover as many in both, except the tenth of the identity.`,
      `Redis memory for each token, with a subject, one label or two, and a scope: ${most?.bytes.all.toFixed(0)} bytes, of these ${most?.bytes.index.toFixed(0)} in the index.`,
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
