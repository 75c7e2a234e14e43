import { type Swarm, startSwarm } from '../clients/start-swarm.js'
import type { Stage } from '../stage.js'
import type { Revoking } from './revoking.js'
import { spreadChannel } from './traffic.js'

/** A socket that can be ended: its place, and what it has shown. */
export interface Target {
  node: number
  index: number
  token?: string
}

/** Sockets on all nodes, distributed over channels. */
export interface Audience {
  /** By node. */
  swarms: readonly Swarm[]
  /** Returns a socket that no earlier call returned, on the nodes in turn. */
  next(): Target
  /** Resolves when the last socket of each node has received a publication of this number or later. */
  reached(number: number): Promise<void>
  /** Opens more sockets, of one new identity. */
  openGroup(sockets: number): Promise<{ name: string; swarms: readonly Swarm[] }>
}

const concurrency = 32

/** Opens `perNode` sockets on each node. */
export async function openAudience(
  stage: Stage,
  { peer, newGroup, ownChannels }: Revoking,
  { nodes, perNode }: { nodes: number; perNode: number },
): Promise<Audience> {
  const open = async (
    swarms: readonly Swarm[],
    count: number,
    group: string,
    issue = peer.tokens,
  ): Promise<string[][]> => {
    const shown: string[][] = []
    for (const [node, swarm] of swarms.entries()) {
      const tokens = (await issue?.(count)) ?? []
      await swarm.ask({
        do: 'open',
        protocol: peer.protocol,
        urls: [peer.urls[node % peer.urls.length] ?? ''],
        count,
        concurrency,
        ...(tokens.length === 0 ? {} : { tokens }),
        ...(peer.connectToken === undefined ? {} : { connectToken: peer.connectToken }),
        channels: Array.from({ length: count }, (_, index) => [
          spreadChannel(index),
          ...(ownChannels?.(group, node, index) ?? []),
        ]),
      })
      shown.push(tokens)
    }
    return shown
  }
  const startSwarms = () => Promise.all(Array.from({ length: nodes }, () => startSwarm(stage)))
  const swarms = await startSwarms()
  const tokens = await open(swarms, perNode, 'crowd')
  const groupSwarms = await startSwarms()
  let taken = 0
  return {
    swarms,
    next() {
      const node = taken % nodes
      const index = Math.floor(taken / nodes)
      taken += 1
      if (index >= perNode - 1) {
        throw new Error('every socket has been revoked')
      }
      const token = tokens[node]?.[index]
      return { node, index, ...(token === undefined ? {} : { token }) }
    },
    async reached(number) {
      await Promise.all(
        swarms.map((swarm) => swarm.ask({ do: 'reached', index: perNode - 1, number })),
      )
    },
    async openGroup(sockets) {
      const group = await newGroup?.()
      if (group === undefined) {
        throw new Error(`${peer.name} has no groups of sockets`)
      }
      await open(groupSwarms, sockets / nodes, group.name, group.tokens)
      return { name: group.name, swarms: groupSwarms }
    },
  }
}
