import type { Teardown } from '@portcullis/local'
import { Centrifuge, type Options } from 'centrifuge'
import { WebSocket } from 'ws'
import type { ReverseProxy } from './start-proxy.js'

export interface StartClientsOptions {
  proxy: ReverseProxy
  token: string
  count: number
}

/** A client of the official SDK behind a proxy, subscribed to a channel. */
export interface ProxiedClient {
  /** Resolves with the data of all publications when at least `count` have arrived. */
  received(count: number): Promise<readonly unknown[]>
  /** How often it has connected. */
  connections(): number
  /** Resolves when it has connected this many times. */
  connected(times: number): Promise<void>
  /** Errors of the SDK: attempts to connect that failed, and lost connections. */
  readonly errors: readonly string[]
  /** Resolves when the client is closed for good. */
  readonly disconnected: Promise<{ code: number; reason: string }>
}

/** The channel of all clients. */
export const channel = 'demo:kept'

/** Starts clients with the SDK's default delays. Resolves when all are subscribed. */
export async function startClients(
  t: Teardown,
  { proxy, token, count }: StartClientsOptions,
): Promise<ProxiedClient[]> {
  class Proxied extends WebSocket {
    constructor(url: string, protocols: string | string[] = []) {
      super(url, ['portcullis', `bearer.${token}`, ...[protocols].flat()], { ca: proxy.ca })
    }
  }
  return Promise.all(Array.from({ length: count }, () => startClient(t, proxy.wsUrl, Proxied)))
}

async function startClient(
  t: Teardown,
  url: string,
  websocket: Options['websocket'],
): Promise<ProxiedClient> {
  const centrifuge = new Centrifuge(url, { websocket })
  t.teardown(() => centrifuge.disconnect())
  const data: unknown[] = []
  const errors: string[] = []
  let connections = 0
  const wake: (() => void)[] = []
  const changed = () => {
    for (const each of wake.splice(0)) {
      each()
    }
  }
  const until = async (isDone: () => boolean) => {
    while (!isDone()) {
      await new Promise<void>((resolve) => wake.push(resolve))
    }
  }
  centrifuge.on('connected', () => {
    connections += 1
    changed()
  })
  centrifuge.on('error', ({ type, error }) => errors.push(`${type}: ${error.message}`))
  const disconnected = new Promise<{ code: number; reason: string }>((resolve) => {
    centrifuge.on('disconnected', resolve)
  })
  const subscription = centrifuge.newSubscription(channel)
  subscription.on('publication', (publication) => {
    data.push(publication.data)
    changed()
  })
  subscription.on('error', ({ type, error }) => errors.push(`${type}: ${error.message}`))
  const subscribed = new Promise<void>((resolve) => subscription.on('subscribed', () => resolve()))
  subscription.subscribe()
  centrifuge.connect()
  await subscribed
  return {
    errors,
    disconnected: disconnected.then(({ code, reason }) => ({ code, reason })),
    connections: () => connections,
    connected: (times) => until(() => connections >= times),
    async received(count) {
      await until(() => data.length >= count)
      return data
    },
  }
}
