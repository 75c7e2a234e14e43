import type { Watch } from '@portcullis/gate/grants'
import type { FeedSource } from '../registry/index.js'
import { follow } from './follow.js'
import type { FeedHub } from './hub.js'
import type { OwnPart } from './own-part/own-part.js'

export interface OpenFeed {
  source: FeedSource
  /** Makes this process a part of receipts; `cursor` is where the tail starts. */
  openPart: (cursor: string) => { part: OwnPart; watch: Watch }
  /** How long to wait for this process's own leases, in milliseconds. */
  maxLeaseWaitMs: number
  onError: (error: unknown) => void
}

export interface OpenedFeed {
  hub: FeedHub
  /** This process as a part of receipts. */
  part: OwnPart
  /** The grants of this process's callers. */
  watch: Watch
  /** Returns why the feed is not being followed; undefined when it is. */
  ready(): Promise<string | undefined>
  /** Leaves the receipts, then stops to follow the feed. */
  close(): Promise<void>
}

/**
 * Follows the feed and makes this process a part of receipts. Resolves when it holds its own leases, or
 * after `maxLeaseWaitMs`.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function openFeed({
  source,
  openPart,
  maxLeaseWaitMs,
  onError,
}: OpenFeed): Promise<OpenedFeed> {
  let own: ReturnType<typeof openPart> | undefined
  const following = await follow({
    source,
    follower(cursor) {
      own = openPart(cursor)
      return own.part
    },
    onError,
  })
  if (own === undefined) {
    throw new Error('follow() has to make its follower before it resolves')
  }
  const { part, watch } = own
  const close = async () => {
    await part.close()
    watch.close()
    await following.close()
  }
  try {
    await part.start(maxLeaseWaitMs)
  } catch (error) {
    await close()
    throw error
  }
  return { hub: following.hub, part, watch, ready: following.ready, close }
}
