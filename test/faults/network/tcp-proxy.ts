import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Teardown } from '@portcullis/local'
import { Pipe } from './pipe.js'

/** `http://`, `ws://` or `redis://` with host and port, or `unix://` with a path. */
type Target = string

/** A proxy for the TCP connections between two processes, which a test can disturb. */
export interface TcpProxy {
  /** Port on 127.0.0.1. */
  readonly port: number
  /** Closes every connection, and refuses new ones until `resume`. */
  cut(): void
  /** Closes every connection; new ones are accepted. */
  drop(): void
  /**
   * Forwards nothing until `resume`, like a paused peer or a network that loses every packet.
   * Connections stay open and new ones are accepted; `resume` forwards what was held. `to` names the
   * side that receives nothing.
   */
  stall(to?: 'both' | 'client' | 'target'): void
  /** Delays everything by this time, in order. */
  delay(ms: number): void
  /** Ends `cut`, `stall` and `delay`. */
  resume(): void
  /** Sends new connections to another target; open connections stay. */
  moveTo(target: Target): void
}

interface Link {
  toTarget: Pipe
  toClient: Pipe
}

/** Starts a proxy on a free port; teardown closes it. */
export async function startTcpProxy(t: Teardown, target: Target): Promise<TcpProxy> {
  const links = new Set<Link>()
  let current = target
  let cut = false
  let stalled: 'none' | 'both' | 'client' | 'target' = 'none'
  let delayMs = 0

  const apply = ({ toTarget, toClient }: Link) => {
    toTarget.set({ held: stalled === 'both' || stalled === 'target', delayMs })
    toClient.set({ held: stalled === 'both' || stalled === 'client', delayMs })
  }
  const drop = () => {
    for (const { toTarget } of links) {
      toTarget.end()
    }
  }
  const server = createServer((client) => {
    client.on('error', () => undefined)
    if (cut) {
      client.destroy()
      return
    }
    const upstream = dial(current)
    const link = { toTarget: new Pipe(client, upstream), toClient: new Pipe(upstream, client) }
    links.add(link)
    upstream.on('close', () => links.delete(link))
    apply(link)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    cut = true
    drop()
    server.close()
    await once(server, 'close')
  })
  return {
    port: (server.address() as AddressInfo).port,
    drop,
    cut() {
      cut = true
      drop()
    },
    stall(to = 'both') {
      stalled = to
      for (const link of links) {
        apply(link)
      }
    },
    delay(ms) {
      delayMs = ms
      for (const link of links) {
        apply(link)
      }
    },
    resume() {
      cut = false
      stalled = 'none'
      delayMs = 0
      for (const link of links) {
        apply(link)
      }
    },
    moveTo(next) {
      current = next
    },
  }
}

function dial(target: Target): Socket {
  const { protocol, pathname, hostname, port } = new URL(target)
  return protocol === 'unix:'
    ? connect({ path: decodeURIComponent(pathname) })
    : connect({ host: hostname, port: Number(port) })
}
