import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Teardown } from '@portcullis/local'
import { Pipe } from './pipe.js'

/** `http://`, `ws://` or `redis://` with host and port, or `unix://` with a path. */
type Target = string

/** A TCP connection between two parts of an installation, in the hands of a test. */
export interface TcpProxy {
  /** On 127.0.0.1. */
  readonly port: number
  /** Drops every connection, and takes no new one until `resume`. */
  cut(): void
  /** Drops every connection once; new ones are served. */
  drop(): void
  /**
   * Goes silent, as a paused peer or a network that loses every packet does: connections stay and
   * new ones are accepted, and nothing is passed on until `resume`, which passes on what was held.
   * One way only: `to` names who hears nothing.
   */
  stall(to?: 'both' | 'client' | 'target'): void
  /** Passes everything on, in order, this much later. */
  delay(ms: number): void
  /** Ends a cut, a stall and a delay. */
  resume(): void
  /** New connections go here from now on. Those that are open stay where they are. */
  moveTo(target: Target): void
}

interface Link {
  toTarget: Pipe
  toClient: Pipe
}

/** Listens on a free port; closed in teardown. */
export async function startTcpProxy(t: Teardown, target: Target): Promise<TcpProxy> {
  const links = new Set<Link>()
  let goal = target
  let cut = false
  let silent: 'nobody' | 'both' | 'client' | 'target' = 'nobody'
  let delayMs = 0

  const apply = ({ toTarget, toClient }: Link) => {
    toTarget.set({ held: silent === 'both' || silent === 'target', delayMs })
    toClient.set({ held: silent === 'both' || silent === 'client', delayMs })
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
    const far = dial(goal)
    const link = { toTarget: new Pipe(client, far), toClient: new Pipe(far, client) }
    links.add(link)
    far.on('close', () => links.delete(link))
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
      silent = to
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
      silent = 'nobody'
      delayMs = 0
      for (const link of links) {
        apply(link)
      }
    },
    moveTo(next) {
      goal = next
    },
  }
}

function dial(target: Target): Socket {
  const { protocol, pathname, hostname, port } = new URL(target)
  return protocol === 'unix:'
    ? connect({ path: decodeURIComponent(pathname) })
    : connect({ host: hostname, port: Number(port) })
}
