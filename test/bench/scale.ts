import type { Benchmark } from './benchmark.js'
import { channels, nodes } from './scale/deliveries.js'
import { sockets } from './scale/sockets.js'

/** Cost of growth: sockets on one node, nodes, channels. */
export const scale: Benchmark = async (setting) => [
  await sockets(setting),
  await nodes(setting),
  await channels(setting),
]
