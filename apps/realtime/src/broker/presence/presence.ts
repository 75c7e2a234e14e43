import type { ClientInfo, PresenceStatsResult } from '@portcullis/protocol'
import { type Commands, script } from '@portcullis/redis'
import type { Permit } from '../../hub/permit.js'
import type { Keys } from '../keys.js'
import type { Writes } from '../writes.js'
import { readClientInfo } from './client-info.js'

const lua = (name: string) => new URL(`./${name}.lua`, import.meta.url)
const enterScript = script<null>(lua('enter-presence'))
const presenceScript = script<string[]>(lua('read-presence'))

/** Clients that one command renews. */
const clientsPerRenewal = 500
/** Clients that one command reads. */
const clientsPerPage = 1000
/** Channels that are renewed concurrently. */
const maxRenewalsInFlight = 64

export interface PresenceOptions {
  redis: Commands
  keys: Keys
  writes: Writes
  /** Permits renewals: without a lease, a node may list clients whose tokens are revoked. */
  permit: Permit
  /** Lifetime of an entry after its last renewal, in milliseconds. */
  ttlMs: number
  onError: (error: Error) => void
}

/**
 * The clients present in each channel, kept in Redis. Each node enters its own clients and renews
 * them; entries of a node that is gone expire after `ttlMs`.
 *
 * All commands of one channel use one connection, so Redis handles them in order: a renewal in
 * flight cannot bring back an entry that `leave` removed.
 */
export class Presence {
  readonly #options: PresenceOptions
  /** Entries of this node's clients, as JSON, by channel. */
  readonly #own = new Map<string, Set<string>>()
  readonly #timer: NodeJS.Timeout
  #renewing = false

  constructor(options: PresenceOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.renew(), options.ttlMs / 3)
    this.#timer.unref()
  }

  async enter(channel: string, info: ClientInfo, permit: Permit): Promise<void> {
    const entry = JSON.stringify(info)
    const own = this.#own.get(channel) ?? new Set()
    this.#own.set(channel, own.add(entry))
    await this.#write(channel, [entry], permit)
  }

  async leave(channel: string, info: ClientInfo): Promise<void> {
    const entry = JSON.stringify(info)
    const own = this.#own.get(channel)
    own?.delete(entry)
    if (own?.size === 0) {
      this.#own.delete(channel)
    }
    const { redis, keys } = this.#options
    await redis.zrem(keys.present(channel), entry)
  }

  /** Returns the present clients and the bytes read; undefined when those exceed `maxBytes`. */
  async present(
    channel: string,
    maxBytes: number,
  ): Promise<{ infos: ClientInfo[]; bytes: number } | undefined> {
    // Clients that come or go between two pages shift the others, so one may appear twice.
    const infos = new Map<string, ClientInfo>()
    let bytes = 0
    for await (const page of this.#pages(channel)) {
      bytes += bytesOf(page)
      if (bytes > maxBytes) {
        return undefined
      }
      for (const info of infosOf(page)) {
        infos.set(info.client, info)
      }
    }
    return { infos: [...infos.values()], bytes }
  }

  /** Counts the present clients and users; returns also the bytes read. */
  async stats(channel: string): Promise<{ stats: PresenceStatsResult; bytes: number }> {
    const clients = new Set<string>()
    const users = new Set<string>()
    let bytes = 0
    for await (const page of this.#pages(channel)) {
      bytes += bytesOf(page)
      for (const { client, user } of infosOf(page)) {
        clients.add(client)
        users.add(user)
      }
    }
    return { stats: { num_clients: clients.size, num_users: users.size }, bytes }
  }

  /** Reads in pages, so that a long list blocks neither Redis nor this process. */
  async *#pages(channel: string): AsyncGenerator<string[]> {
    const { redis, keys } = this.#options
    for (let from = 0; ; from += clientsPerPage) {
      const page = await presenceScript(redis, [keys.present(channel)], [from, clientsPerPage])
      yield page
      if (page.length < clientsPerPage) {
        return
      }
    }
  }

  /** Enters all of this node's clients again, including those that Redis has lost. */
  async renew(): Promise<void> {
    if (this.#renewing) {
      return
    }
    this.#renewing = true
    const channels = [...this.#own.keys()]
    const failures: unknown[] = []
    while (channels.length > 0) {
      // Continue after a failure: one master of a Cluster may be away while the others answer.
      const renewals = await Promise.allSettled(
        channels.splice(0, maxRenewalsInFlight).map((channel) => this.#renewChannel(channel)),
      )
      for (const renewal of renewals) {
        if (renewal.status === 'rejected') {
          failures.push(renewal.reason)
        }
      }
    }
    this.#renewing = false
    const [failure] = failures
    if (failure instanceof Error) {
      this.#options.onError(failure)
    }
  }

  /** Removes this node's clients, from those masters that answer. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    const { redis, keys } = this.#options
    const own = [...this.#own]
    this.#own.clear()
    await Promise.allSettled(
      own.map(([channel, entries]) => redis.zrem(keys.present(channel), ...entries)),
    )
  }

  async #renewChannel(channel: string): Promise<void> {
    const entries = [...(this.#own.get(channel) ?? [])]
    const parts: Promise<void>[] = []
    while (entries.length > 0) {
      parts.push(this.#write(channel, entries.splice(0, clientsPerRenewal), this.#options.permit))
    }
    await Promise.all(parts)
  }

  async #write(channel: string, entries: readonly string[], permit: Permit): Promise<void> {
    const { redis, keys, ttlMs, writes } = this.#options
    const key = keys.present(channel)
    await writes.run(key, permit, async (deadline) => {
      // A client may have left while the permit was checked; its entry must not return.
      const own = this.#own.get(channel)
      const present = entries.filter((entry) => own?.has(entry))
      if (present.length > 0) {
        await enterScript(redis, [key], [ttlMs, ...present], deadline)
      }
    })
  }
}

function bytesOf(texts: readonly string[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0)
}

function infosOf(page: readonly string[]): ClientInfo[] {
  return page.map(readClientInfo).filter((info) => info !== undefined)
}
