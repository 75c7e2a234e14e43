import { type Child, startChild } from '../bench/child.js'
import type { Stage } from '../bench/stage.js'
import type { Journal } from './recovering-client.js'
import type { Acknowledged, SwarmAnswer, SwarmCall } from './swarm-calls.js'

export interface SwarmsOptions {
  processes: number
  /** Number of clients in all processes together. */
  count: number
  urls: readonly string[]
  tokens: readonly string[]
  channels: readonly string[]
}

/** Recovering clients in separate processes. */
export interface Swarms {
  /** Resolves when each client is subscribed and has every acknowledged publication. */
  settle(acknowledged: Acknowledged): Promise<void>
  judge(acknowledged: Acknowledged): Promise<{ received: number; journal: Journal }>
}

const withinMs = 120_000
/** Concurrent connection attempts of each process. */
const concurrency = 32

/** Starts the processes; resolves when all clients are subscribed. */
export async function startSwarms(
  stage: Stage,
  { processes, count, urls, tokens, channels }: SwarmsOptions,
): Promise<Swarms> {
  // The built program: a process that reads TypeScript takes seconds to begin.
  const program = new URL('../dist/restart/swarm.js', import.meta.url)
  const swarms: Child<SwarmCall, SwarmAnswer>[] = []
  for (let index = 0; index < processes; index += 1) {
    swarms.push(await startChild(stage, program))
  }
  const share = count / processes
  const ask = (call: SwarmCall) => Promise.all(swarms.map((swarm) => swarm.ask(call)))
  await ask({ do: 'open', urls, tokens, channels, count: share, concurrency })
  return {
    async settle(acknowledged) {
      await ask({ do: 'settle', acknowledged, withinMs })
    },
    async judge(acknowledged) {
      const answers = await ask({ do: 'judge', acknowledged })
      return {
        received: answers.reduce((sum, { received = 0 }) => sum + received, 0),
        journal: joined(answers.flatMap(({ journal }) => journal ?? [])),
      }
    },
  }
}

function joined(journals: readonly Journal[]): Journal {
  return {
    closed: journals.flatMap(({ closed }) => closed),
    resubscribed: journals.flatMap(({ resubscribed }) => resubscribed),
    refusals: journals.flatMap(({ refusals }) => refusals),
    unreachable: journals.reduce((sum, { unreachable }) => sum + unreachable, 0),
    faults: journals.flatMap(({ faults }) => faults),
  }
}
