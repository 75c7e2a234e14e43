import { ClientInfo, type PresenceStatsResult } from '@portcullis/protocol'
import { type Commands, script } from '@portcullis/redis'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { Permit } from '../../hub/permit.js'
import type { Keys } from '../keys.js'
import type { Writes } from '../writes.js'

const lua = (name: string) => new URL(`./${name}.lua`, import.meta.url)
const enterScript = script<null>(lua('enter-presence'))
const presenceScript = script<string[]>(lua('read-presence'))
const clientInfo = TypeCompiler.Compile(ClientInfo)

/** Clients that one command goes on listing. */
const clientsAtOnce = 500
/** Clients that one command reads. */
const clientsPerPage = 1000

/** Commands that are under way at a time while that is done. */
const commandsAtOnce = 64

export interface PresenceOptions {
  redis: Commands
  keys: Keys
  writes: Writes
  /** Permits the renewals: a node without a lease may list clients whose tokens are revoked. */
  permit: Permit
  /** How long an entry counts after this node has last said so. */
  ttlMs: number
  onError: (error: Error) => void
}

/**
 * Who is in which channel, in Redis. Each node lists its own clients, and goes on saying so: what a
 * node leaves behind that is gone counts no more after `ttlMs`.
 *
 * All of a channel goes down one connection, in order: what is sent of a channel is what holds at that
 * moment, so an entry that was taken away is not brought back by a renewal that is still under way.
 */
export class Presence {
  readonly #options: PresenceOptions
  /** Infos of this node's clients, as they are written, by channel. */
  readonly #own = new Map<string, Set<string>>()
  readonly #timer: NodeJS.Timeout
  #renewing = false

  constructor(options: PresenceOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.renew(), options.ttlMs / 3)
    this.#timer.unref()
  }

  async enter(channel: string, info: ClientInfo, permit: Permit): Promise<void> {
    const written = JSON.stringify(info)
    const own = this.#own.get(channel) ?? new Set()
    this.#own.set(channel, own.add(written))
    await this.#list(channel, [written], permit)
  }

  async leave(channel: string, info: ClientInfo): Promise<void> {
    const written = JSON.stringify(info)
    const own = this.#own.get(channel)
    own?.delete(written)
    if (own?.size === 0) {
      this.#own.delete(channel)
    }
    const { redis, keys } = this.#options
    await redis.zrem(keys.present(channel), written)
  }

  /** Who is present, and how many bytes that is; undefined when it is more than `maxBytes`. */
  async present(
    channel: string,
    maxBytes: number,
  ): Promise<{ infos: ClientInfo[]; bytes: number } | undefined> {
    // A client that comes or goes between two pages moves the others: one may be read twice.
    const infos = new Map<string, ClientInfo>()
    let bytes = 0
    for await (const page of this.#pages(channel)) {
      bytes += bytesOf(page)
      if (bytes > maxBytes) {
        return undefined
      }
      for (const info of page.flatMap(readClientInfo)) {
        infos.set(info.client, info)
      }
    }
    return { infos: [...infos.values()], bytes }
  }

  /** How many are present, and how many bytes were read for that. */
  async stats(channel: string): Promise<{ stats: PresenceStatsResult; bytes: number }> {
    const clients = new Set<string>()
    const users = new Set<string>()
    let bytes = 0
    for await (const page of this.#pages(channel)) {
      bytes += bytesOf(page)
      for (const { client, user } of page.flatMap(readClientInfo)) {
        clients.add(client)
        users.add(user)
      }
    }
    return { stats: { num_clients: clients.size, num_users: users.size }, bytes }
  }

  /** A long list is read in pages: neither Redis nor this process is busy with it for long. */
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

  /** Says again who is here: also what Redis has lost meanwhile comes back with it. */
  async renew(): Promise<void> {
    if (this.#renewing) {
      return
    }
    this.#renewing = true
    const channels = [...this.#own.keys()]
    const failures: unknown[] = []
    while (channels.length > 0) {
      // One master of a Cluster that is away must not cost the others' channels their presence.
      const renewed = await Promise.allSettled(
        channels.splice(0, commandsAtOnce).map((channel) => this.#listAll(channel)),
      )
      for (const one of renewed) {
        if (one.status === 'rejected') {
          failures.push(one.reason)
        }
      }
    }
    this.#renewing = false
    const [failure] = failures
    if (failure instanceof Error) {
      this.#options.onError(failure)
    }
  }

  /** Takes this node's clients away, as far as Redis is there to be told. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    const { redis, keys } = this.#options
    const own = [...this.#own]
    this.#own.clear()
    await Promise.allSettled(
      own.map(([channel, infos]) => redis.zrem(keys.present(channel), ...infos)),
    )
  }

  async #listAll(channel: string): Promise<void> {
    const infos = [...(this.#own.get(channel) ?? [])]
    const parts: Promise<void>[] = []
    while (infos.length > 0) {
      parts.push(this.#list(channel, infos.splice(0, clientsAtOnce), this.#options.permit))
    }
    await Promise.all(parts)
  }

  async #list(channel: string, infos: readonly string[], permit: Permit): Promise<void> {
    const { redis, keys, ttlMs, writes } = this.#options
    const key = keys.present(channel)
    await writes.run(key, permit, async (deadline) => {
      // A client may have left while its token was checked; its entry must not come back.
      const own = this.#own.get(channel)
      const present = infos.filter((info) => own?.has(info))
      if (present.length > 0) {
        await enterScript(redis, [key], [ttlMs, ...present], deadline)
      }
    })
  }
}

function bytesOf(texts: readonly string[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0)
}

/** Reads what a node has written of a client; nothing when it is none. */
export function readClientInfo(written: string): ClientInfo[] {
  try {
    const value: unknown = JSON.parse(written)
    return clientInfo.Check(value) ? [value] : []
  } catch {
    return []
  }
}
