import type { Benchmark } from './benchmark.js'
import { channels, nodes } from './scale/deliveries.js'
import { sockets } from './scale/sockets.js'

/** What it costs to grow: in sockets on one node, in nodes, in channels. */
export const scale: Benchmark = async (setting) => [
  await sockets(setting),
  await nodes(setting),
  await channels(setting),
]
