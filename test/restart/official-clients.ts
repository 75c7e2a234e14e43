import type { Teardown } from '@portcullis/local'
import { Centrifuge, type Options } from 'centrifuge'
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf'
import { WebSocket } from 'ws'
import type { Heard } from './judge.js'

// The two builds are alike in all that is public, but have types of their own.
const builds = [Centrifuge, ProtobufCentrifuge as unknown as typeof Centrifuge]

export interface OfficialClientsOptions {
  urls: readonly string[]
  token: string
  channels: readonly string[]
  count: number
}

/** A client as npm has it, and what it has heard. */
export interface OfficialClient {
  channel: string
  heard: Heard[]
  /** Publications were lost, by its own account. */
  lost: number
  /** From each close to its being connected again, in milliseconds. */
  awayMs: number[]
  /** Resolves when it has heard everything up to an offset; rejects when it stays away. */
  settled(upTo: number): Promise<void>
}

/** Starts official clients, of both builds in turn, with their own ideas of when to come back. */
export async function startOfficialClients(
  t: Teardown,
  { urls, token, channels, count }: OfficialClientsOptions,
): Promise<OfficialClient[]> {
  /** Dials any of the nodes, as a load balancer would. */
  class Balanced extends WebSocket {
    constructor(_address: string, protocols: string | string[] = []) {
      const url = urls[Math.floor(Math.random() * urls.length)] ?? ''
      super(url, ['portcullis', `bearer.${token}`, ...[protocols].flat()])
    }
  }
  const options: Partial<Options> = { websocket: Balanced, getToken: async () => token }
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      const Build = builds[index % builds.length] ?? Centrifuge
      const centrifuge = new Build(urls[0] ?? '', options)
      t.teardown(() => centrifuge.disconnect())
      return subscribed(centrifuge, channels[index % channels.length] ?? '')
    }),
  )
}

async function subscribed(centrifuge: Centrifuge, channel: string): Promise<OfficialClient> {
  let look = () => {}
  const stopped = new Promise<never>((_, reject) => {
    centrifuge.on('disconnected', ({ code }) => reject(new Error(`stopped for good: ${code}`)))
  })
  stopped.catch(() => undefined)
  const client: OfficialClient = {
    channel,
    heard: [],
    lost: 0,
    awayMs: [],
    settled(upTo) {
      const there = new Promise<void>((resolve) => {
        look = () => {
          if ((client.heard.at(-1)?.offset ?? 0) >= upTo) {
            resolve()
          }
        }
        look()
      })
      return Promise.race([there, stopped])
    },
  }
  let awaySince: number | undefined
  centrifuge.on('connecting', () => {
    if (client.heard.length > 0) {
      awaySince ??= Date.now()
    }
  })
  centrifuge.on('connected', () => {
    if (awaySince !== undefined) {
      client.awayMs.push(Date.now() - awaySince)
    }
    awaySince = undefined
  })
  const subscription = centrifuge.newSubscription(channel)
  const ready = new Promise<void>((resolve) => subscription.once('subscribed', () => resolve()))
  subscription.on('subscribed', ({ wasRecovering, recovered }) => {
    if (wasRecovering && !recovered) {
      client.lost += 1
    }
  })
  subscription.on('publication', ({ data, offset = 0 }) => {
    client.heard.push({ n: numberOf(data), offset })
    look()
  })
  subscription.subscribe()
  centrifuge.connect()
  await ready
  return client
}

/** In Protobuf all data are bytes. */
function numberOf(data: unknown): number {
  const { n } = data instanceof Uint8Array ? JSON.parse(new TextDecoder().decode(data)) : data
  return n
}
