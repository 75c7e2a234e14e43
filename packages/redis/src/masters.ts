import type { Cluster } from 'ioredis'
import { addressOfKey, type Commands, isCluster } from './commands.js'
import {
  type ConnectionRole,
  type ConnectOptions,
  connect,
  connectTo,
  type Redis,
} from './connect.js'
import { slotCount } from './slots.js'
import { targetOf } from './url.js'

/** A server that accepts writes for some slots. */
export interface Master {
  /** Identifies the server: `host:port` in a Cluster. */
  readonly id: string
  /**
   * Creates a connection to the server, which the caller connects and closes. Its default name is
   * that of `followMasters` and the role.
   */
  connect(role: ConnectionRole, name?: string): Redis
}

/**
 * The master of each slot, for features that cannot use `Commands`: subscriptions, and commands
 * that block or wait for replicas. Outside of a Cluster there is one master for all slots, which
 * never changes; through Sentinels, its connections follow the current master.
 */
export interface Masters {
  /** Returns the master of a slot; undefined while the slot has none. */
  of(slot: number): Master | undefined
  /**
   * Calls `callback` when some slots have another master than before. Returns a function that stops
   * this.
   */
  onChange(callback: () => void): () => void
  /**
   * Reads the Cluster's slot map again. Call it when a server answers MOVED, or refuses or loses a
   * connection that is not from `Master.connect`; those connections call it themselves.
   */
  refresh(): void
  /** Stops following. Does not close connections. */
  close(): void
}

export type FollowOptions = Pick<ConnectOptions, 'url' | 'name' | 'onError'>

/**
 * Follows the masters that `commands` use.
 *
 * @param commands - from `connectCommands` with the same `url`; may still be unconnected
 */
export function followMasters(commands: Commands, { url, name, onError }: FollowOptions): Masters {
  const target = targetOf(url)
  const named = (role: ConnectionRole, own = name && `${name}-${role}`) => ({
    role,
    ...(own === undefined ? {} : { name: own }),
    onError,
  })
  if (target.kind !== 'cluster' || !isCluster(commands)) {
    const only: Master = {
      id: 'only',
      connect: (role, own) => connect({ url, ...named(role, own) }),
    }
    return { of: () => only, onChange: () => () => {}, refresh: () => {}, close: () => {} }
  }

  const { access } = target
  const callbacks = new Set<() => void>()
  const known = new Map<string, Master>()
  // A copy, because ioredis changes its own map after a MOVED without an event.
  let map = mastersIn(commands)
  let closed = false
  const refresh = () => {
    if (!closed && commands.status === 'ready') {
      commands.refreshSlotsCache()
    }
  }
  const masterAt = (key: string): Master => ({
    id: key,
    connect(role, own) {
      const redis = connectTo(addressOfKey(key), access, named(role, own))
      // The server may have been replaced.
      redis.on('close', refresh)
      return redis
    },
  })
  const look = () => {
    const now = mastersIn(commands)
    if (now.length === map.length && now.every((key, slot) => key === map[slot])) {
      return
    }
    map = now
    for (const callback of [...callbacks]) {
      callback()
    }
  }
  commands.on('refresh', look)

  return {
    of(slot) {
      const key = map[slot]
      if (key === undefined) {
        return undefined
      }
      const master = known.get(key) ?? masterAt(key)
      known.set(key, master)
      return master
    },
    onChange(callback) {
      callbacks.add(callback)
      return () => callbacks.delete(callback)
    },
    refresh,
    close() {
      closed = true
      commands.off('refresh', look)
      callbacks.clear()
    },
  }
}

/** Returns the master of each slot, as `host:port`. */
function mastersIn(cluster: Cluster): (string | undefined)[] {
  return Array.from({ length: slotCount }, (_, slot) => cluster.slots[slot]?.[0])
}

/** A resource for each master that has some of a set of slots. */
export interface PerMaster<Resource> {
  /** Returns the resource of the slot's master; undefined while the slot has none. */
  of(slot: number): Resource | undefined
  /** Returns the resources, each with its slots. */
  all(): readonly { resource: Resource; master: Master; slots: readonly number[] }[]
  /** Ends all resources, and makes no more. */
  close(): Promise<void>
}

export interface PerMasterOptions<Resource> {
  /** The slots to cover. */
  slots: readonly number[]
  /** Called once for each master that has some of the slots. */
  make: (master: Master) => Resource
  /** Called when a master no longer has any of the slots. */
  end: (resource: Resource) => unknown
  /** Called after `make` and `end` when slots have another master. */
  onChange?: () => void
}

/** Keeps one resource (a connection, a pool) for each master while slots move and fail over. */
export function perMaster<Resource>(
  masters: Masters,
  { slots, make, end, onChange }: PerMasterOptions<Resource>,
): PerMaster<Resource> {
  let entries = new Map<string, { resource: Resource; master: Master; slots: number[] }>()
  const arrange = () => {
    const next: typeof entries = new Map()
    for (const slot of slots) {
      const master = masters.of(slot)
      if (master === undefined) {
        continue
      }
      const entry = next.get(master.id)
      if (entry !== undefined) {
        entry.slots.push(slot)
      } else {
        const resource = entries.get(master.id)?.resource ?? make(master)
        next.set(master.id, { resource, master, slots: [slot] })
      }
    }
    const gone = [...entries].filter(([id]) => !next.has(id))
    entries = next
    return gone.map(([, { resource }]) => end(resource))
  }
  arrange()
  const stop = masters.onChange(() => {
    arrange()
    onChange?.()
  })
  return {
    of: (slot) => entries.get(masters.of(slot)?.id ?? '')?.resource,
    all: () => [...entries.values()],
    async close() {
      stop()
      const all = [...entries.values()]
      entries = new Map()
      await Promise.all(all.map(({ resource }) => end(resource)))
    },
  }
}
