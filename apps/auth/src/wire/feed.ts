import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.js'
import { AuthError } from '../errors.js'
import { Fencer } from '../feed/fencer.js'
import type { FeedHub } from '../feed/hub.js'
import { Inquiries } from '../feed/inquiries.js'
import { type OpenedFeed, openFeed } from '../feed/open-feed.js'
import { openOwnPart } from '../feed/own-part/open.js'
import { ownPartRegistry } from '../feed/own-part/registry.js'
import type { FeedRegistry } from '../feed/registry.js'
import {
  feedSource,
  type Listener,
  leaseTimes,
  openReceiptWatch,
  type ReceiptWatch,
  type Registry,
} from '../registry/index.js'

/** How long the start waits for this instance's own leases, in milliseconds. */
const maxLeaseWaitMs = 3000

/** Bytes of a node's message. */
const maxFeedMessageBytes = 256 * 1024

interface Sources {
  registry: Registry
  listener: Listener
}

/** Watches for acknowledgements that other instances receive. */
export function watchReceipts(app: FastifyInstance, { registry, listener }: Sources): ReceiptWatch {
  const watch = openReceiptWatch(registry, listener)
  // Before the server stops, which waits for requests that wait for receipts.
  app.addHook('preClose', async () => watch.close())
  return watch
}

/** Follows the feed, as a part of receipts. @throws RegistryError */
export async function followFeed(
  app: FastifyInstance,
  { registry, listener }: Sources,
): Promise<OpenedFeed> {
  const { log } = app
  const feed = await openFeed({
    source: feedSource(registry, listener),
    openPart: (cursor) =>
      openOwnPart(
        {
          registry: ownPartRegistry(registry),
          leaseMs: registry.leaseMs,
          log,
          onError: (err) => log.debug({ err }, 'the lease of this instance cannot be renewed'),
        },
        cursor,
      ),
    maxLeaseWaitMs,
    onError: (err) => log.warn({ err }, 'the feed cannot be read'),
  })
  app.addHook('onClose', () => feed.close())
  return feed
}

/** Opens the inquiries to nodes. */
export function openInquiries(
  app: FastifyInstance,
  hub: FeedHub,
  { registry, listener }: Sources,
): Inquiries {
  const inquiries = new Inquiries({
    registry,
    hub,
    listener,
    onError: (err) => app.log.warn({ err }, "a node's answer is lost"),
  })
  app.addHook('preClose', async () => inquiries.close())
  return inquiries
}

/** Accepts WebSockets on the feed's route only. Closing ends the connections of all nodes in time. */
export async function acceptNodes(
  app: FastifyInstance,
  hub: FeedHub,
  config: Config,
): Promise<void> {
  await app.register(websocket, {
    options: { maxPayload: maxFeedMessageBytes, perMessageDeflate: false },
    preClose(done) {
      // Half of the closing time; the rest is for requests and Redis.
      hub.close(config.CLOSE_DEADLINE_MS / 2).then(() => done(), done)
    },
  })
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.ws && request.routeOptions.url !== '/v1/feed') {
      done(
        new AuthError('invalid_request', 'this is not a WebSocket route; the feed is at /v1/feed'),
      )
    } else {
      done()
    }
  })
}

/** Fences nodes whose lease is out. */
export function fenceNodes(app: FastifyInstance, registry: FeedRegistry, config: Config): void {
  const fencer = new Fencer({
    registry,
    pollMs: leaseTimes(config.LEASE_MS).pollMs,
    onFenced({ node, instance, partition }) {
      app.log.warn({ node, instance, partition }, 'node fenced: its lease is out')
      // A node is fenced in each partition separately, at nearly the same time: count it once.
      if (partition === 0) {
        app.meters.nodesFenced += 1
      }
    },
    onError: (err) => app.log.debug({ err }, 'the leases cannot be read'),
  })
  app.addHook('onClose', () => fencer.close())
}
