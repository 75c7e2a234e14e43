import { answer } from '../bench/child.js'
import { judge } from './judge.js'
import { type Journal, RecoveringClient } from './recovering-client.js'
import type { SwarmAnswer, SwarmCall } from './swarm-calls.js'

interface ChannelClient {
  client: RecoveringClient
  channel: string
}

type Call<Name extends SwarmCall['do']> = Extract<SwarmCall, { do: Name }>

const journal: Journal = { closed: [], resubscribed: [], refusals: [], unreachable: 0, faults: [] }
const clients: ChannelClient[] = []

async function handle(call: SwarmCall): Promise<SwarmAnswer> {
  switch (call.do) {
    case 'open':
      await open(call)
      return {}
    case 'settle':
      await settle(call)
      return {}
    case 'judge':
      return judgeAll(call)
  }
}

async function open({ urls, tokens, channels, count, concurrency }: Call<'open'>): Promise<void> {
  let next = 0
  const opener = async () => {
    while (next < count) {
      const index = next
      next += 1
      const token = tokens[index % tokens.length] ?? ''
      const channel = channels[index % channels.length] ?? ''
      const client = new RecoveringClient({ urls, token, channel, journal })
      clients.push({ client, channel })
      await client.settled(0)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, opener))
}

/** Rejects with some of the clients that are behind at the time limit. */
async function settle({ acknowledged, withinMs }: Call<'settle'>): Promise<void> {
  const behind = new Set(clients)
  const all = clients.map(async (entry) => {
    const [, upTo = 0] = acknowledged[entry.channel]?.at(-1) ?? []
    await entry.client.settled(upTo)
    behind.delete(entry)
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const some = [...behind].slice(0, 3).map(({ client }) => client.describe())
      reject(
        new Error(`${behind.size} are behind: ${some.join('; ')}; ${journal.faults.join('; ')}`),
      )
    }, withinMs)
  })
  await Promise.race([Promise.all(all), late]).finally(() => clearTimeout(timer))
}

function judgeAll({ acknowledged }: Call<'judge'>): SwarmAnswer {
  let received = 0
  const faults = clients.flatMap(({ client, channel }) => {
    received += client.received.length
    const violations = judge(client.received, new Map(acknowledged[channel] ?? []))
    return violations.map((violation) => `${channel}: ${violation}`)
  })
  for (const { client } of clients) {
    client.disconnect()
  }
  return { received, journal: { ...journal, faults: [...journal.faults, ...faults] } }
}

answer(handle)
