import type { Teardown } from '@portcullis/local'
import { Centrifuge, type Options } from 'centrifuge'
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf'
import { WebSocket } from 'ws'
import type { Received } from './judge.js'

// The two builds have the same public interface but separate types.
const builds = [Centrifuge, ProtobufCentrifuge as unknown as typeof Centrifuge]

export interface OfficialClientsOptions {
  urls: readonly string[]
  token: string
  channels: readonly string[]
  count: number
}

/** A client of the official SDK, and what it has received. */
export interface OfficialClient {
  channel: string
  received: Received[]
  /** Number of resubscriptions that reported lost publications. */
  lost: number
  /** Time from each close to the next connection, in milliseconds. */
  awayMs: number[]
  /** Resolves when everything up to an offset has arrived; rejects when the client is closed for good. */
  settled(upTo: number): Promise<void>
}

/** Starts official clients, alternating between both builds, with the SDK's default reconnect delays. */
export async function startOfficialClients(
  t: Teardown,
  { urls, token, channels, count }: OfficialClientsOptions,
): Promise<OfficialClient[]> {
  /** Connects to a random node, as a load balancer would. */
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
  let check = () => {}
  const stopped = new Promise<never>((_, reject) => {
    centrifuge.on('disconnected', ({ code }) => reject(new Error(`closed for good: ${code}`)))
  })
  stopped.catch(() => undefined)
  const client: OfficialClient = {
    channel,
    received: [],
    lost: 0,
    awayMs: [],
    settled(upTo) {
      const arrived = new Promise<void>((resolve) => {
        check = () => {
          if ((client.received.at(-1)?.offset ?? 0) >= upTo) {
            resolve()
          }
        }
        check()
      })
      return Promise.race([arrived, stopped])
    },
  }
  let awaySince: number | undefined
  centrifuge.on('connecting', () => {
    if (client.received.length > 0) {
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
    client.received.push({ n: numberOf(data), offset })
    check()
  })
  subscription.subscribe()
  centrifuge.connect()
  await ready
  return client
}

/** Returns the number in the data, which are bytes in the Protobuf build. */
function numberOf(data: unknown): number {
  const { n } = data instanceof Uint8Array ? JSON.parse(new TextDecoder().decode(data)) : data
  return n
}
