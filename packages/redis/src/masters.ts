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

/** A server that takes writes for some slots. */
export interface Master {
  /** The same for the same server: `host:port` in a Cluster. */
  readonly id: string
  /**
   * A connection of its own to it, not yet connected; the caller closes it. Its name is, unless given,
   * that of `followMasters` and the role.
   */
  connect(role: ConnectionRole, name?: string): Redis
}

/**
 * Which master has which slot, for what cannot go through `Commands`: subscriptions, and commands
 * that block or that wait for replicas. A server that is none of a Cluster is one master for all
 * slots and stays it, also through Sentinels: the connection itself goes where the master is.
 */
export interface Masters {
  /** The master of a slot; undefined while nobody has it. */
  of(slot: number): Master | undefined
  /** Calls back when some slots have another master than before; gives what stops that. */
  onChange(callback: () => void): () => void
  /**
   * Asks the Cluster for its map again. Call it when a server answers MOVED, or refuses or loses a
   * connection that is not from `Master.connect`; those do it by themselves.
   */
  refresh(): void
  /** Stops following; closes none of the connections. */
  close(): void
}

export type FollowOptions = Pick<ConnectOptions, 'url' | 'name' | 'onError'>

/**
 * Follows the masters of what `commands` are given to.
 *
 * @param commands - from `connectCommands` with the same `url`, connected or to be connected
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
  // A copy: ioredis changes its own for one slot or many when it meets a MOVED, and tells nobody.
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
      // It may be gone for good, and another in its place.
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

/** The master of each slot, as `host:port`. */
function mastersIn(cluster: Cluster): (string | undefined)[] {
  return Array.from({ length: slotCount }, (_, slot) => cluster.slots[slot]?.[0])
}

/** One thing for each master that has any of some slots. */
export interface PerMaster<Thing> {
  /** That of the slot's master; undefined while nobody has the slot. */
  of(slot: number): Thing | undefined
  /** Those that there are, each with the slots it is for. */
  all(): readonly { thing: Thing; master: Master; slots: readonly number[] }[]
  /** Ends all of them, and makes none any more. */
  close(): Promise<void>
}

export interface PerMasterOptions<Thing> {
  /** The slots that are of interest. */
  slots: readonly number[]
  /** Called once for each master that has one of them. */
  make: (master: Master) => Thing
  /** Called when its master has none of them any more. */
  end: (thing: Thing) => unknown
  /** Called after `make` and `end`, when slots have another master than before. */
  onChange?: () => void
}

/** Keeps one thing for each master, a connection or a pool of them, while slots move and fail over. */
export function perMaster<Thing>(
  masters: Masters,
  { slots, make, end, onChange }: PerMasterOptions<Thing>,
): PerMaster<Thing> {
  let entries = new Map<string, { thing: Thing; master: Master; slots: number[] }>()
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
        const thing = entries.get(master.id)?.thing ?? make(master)
        next.set(master.id, { thing, master, slots: [slot] })
      }
    }
    const gone = [...entries].filter(([id]) => !next.has(id))
    entries = next
    return gone.map(([, { thing }]) => end(thing))
  }
  arrange()
  const stop = masters.onChange(() => {
    arrange()
    onChange?.()
  })
  return {
    of: (slot) => entries.get(masters.of(slot)?.id ?? '')?.thing,
    all: () => [...entries.values()],
    async close() {
      stop()
      const all = [...entries.values()]
      entries = new Map()
      await Promise.all(all.map(({ thing }) => end(thing)))
    },
  }
}
