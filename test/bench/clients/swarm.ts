import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { answer } from '../child.js'
import { countPayloads, highestPayload, payload } from './payload.js'
import { protocols, type Session } from './protocols.js'
import {
  type Closings,
  monotonicMs,
  type OpenCall,
  type SwarmAnswer,
  type SwarmCall,
} from './swarm-calls.js'

/** The first byte of an unmasked close frame (RFC 6455 §5.2). */
const closeFrame = 0x88

/** Time limit for opening a socket, and for delivering a publication to every socket. */
const limitMs = 30_000

interface Client {
  socket: WebSocket
  /** The connection below the socket, once it is open. */
  stream?: Duplex
  session: Session
  highest: number
  /** The id that the server gave the connection. */
  id?: string
  ended?: { at: number; code: number }
  /** Called when a publication is confirmed. */
  confirmed?: () => void
}

/** By index of the socket. */
let clients: Client[] = []
let deliveries = 0
let failure: string | undefined
let published = 0
/** Called whenever one of the figures above has changed. */
let changed: () => void = () => undefined

async function handle(call: SwarmCall): Promise<SwarmAnswer> {
  switch (call.do) {
    case 'open':
      return { refused: await open(call) }
    case 'publish':
      await publish(call)
      return {}
    case 'publishInto':
      publishInto(call)
      return {}
    case 'publishConfirmed':
      await publishConfirmed(call)
      return {}
    case 'received':
      await delivered(call.total)
      return {}
    case 'closed':
      return { closings: await closedBetween(call) }
    case 'reached':
      await until(
        () => (clients[call.index]?.highest ?? 0) >= call.number,
        limitMs,
        () => `socket ${call.index} has not received payload ${call.number}`,
      )
      return {}
    case 'highest':
      return {
        highest: Math.max(0, ...clients.slice(call.from, call.to).map((one) => one.highest)),
      }
    case 'client': {
      const id = clients[call.index]?.id
      return id === undefined ? {} : { client: id }
    }
    case 'drop':
      for (const { socket } of clients) {
        socket.terminate()
      }
      await until(() => clients.every(({ ended }) => ended !== undefined), limitMs, describeEnds)
      return {}
  }
}

type Call<Name extends SwarmCall['do']> = Extract<SwarmCall, { do: Name }>

/** Opens the sockets; returns how often a server refused one. */
async function open(call: OpenCall | (OpenCall & { again: true })): Promise<number> {
  clients = []
  deliveries = 0
  failure = undefined
  let next = 0
  let refused = 0
  const opener = async () => {
    while (next < call.count) {
      const index = next
      next += 1
      refused += await openOne(call, index, 'again' in call)
    }
  }
  await Promise.all(Array.from({ length: call.concurrency }, opener))
  return refused
}

/** Opens a socket, with the pauses of centrifuge-js between attempts: 0.5 to 20 s with full jitter. */
async function openOne(call: OpenCall, index: number, again: boolean): Promise<number> {
  for (let failed = 0; ; failed += 1) {
    try {
      await connect(call, index)
      return failed
    } catch (error) {
      if (!again) {
        throw error
      }
      await sleep(500 + Math.random() * Math.min(19_500, 500 * 2 ** failed))
    }
  }
}

function connect(call: OpenCall, index: number): Promise<void> {
  const { urls, tokens, connectToken, channels = [[]] } = call
  const token = tokens?.[index]
  const session = protocols[call.protocol]({
    channels: channels[index % channels.length] ?? [],
    ...(connectToken === undefined ? {} : { token: connectToken }),
  })
  const socket = new WebSocket(urls[index % urls.length] ?? '', {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    handshakeTimeout: limitMs,
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  })
  const client: Client = { socket, session, highest: 0 }
  clients[index] = client
  return new Promise((resolve, reject) => {
    let ready = false
    noteEnd(client, (code, reason) => {
      reject(new Error(`closed with ${code} ${reason} before it was ready`))
      changed()
    })
    socket.on('open', () => {
      if (session.greeting !== undefined) {
        socket.send(session.greeting)
      }
    })
    socket.on('message', (data: Buffer) => {
      const count = countPayloads(data)
      if (count > 0) {
        deliveries += count
        const pong = session.pong?.(data)
        if (pong !== undefined) {
          socket.send(pong)
        }
        client.highest = Math.max(client.highest, highestPayload(data))
        changed()
        return
      }
      try {
        ready = onText(client, data.toString(), ready, resolve)
      } catch (error) {
        if (ready) {
          failure = error instanceof Error ? error.message : String(error)
        }
        reject(error)
        socket.terminate()
        changed()
      }
    })
    socket.on('error', reject)
  })
}

/** Notes when a socket has received its close frame; ws reports it only a round trip later. */
function noteEnd(client: Client, onEnd: (code: number, reason: string) => void): void {
  const { socket } = client
  let closeFrameAt: number | undefined
  socket.on('upgrade', ({ socket: stream }: { socket: Duplex }) => {
    client.stream = stream
    socket.on('open', () => {
      stream.on('data', (chunk: Buffer) => {
        if (chunk[0] === closeFrame) {
          closeFrameAt = monotonicMs()
        }
      })
    })
  })
  socket.on('close', (code, reason) => {
    client.ended = { at: closeFrameAt ?? monotonicMs(), code }
    onEnd(code, reason.toString())
  })
}

/** Returns true once the socket is ready. */
function onText(client: Client, text: string, ready: boolean, resolve: () => void): boolean {
  const reaction = client.session.onText(text)
  if (reaction.client !== undefined) {
    client.id = reaction.client
  }
  if (reaction.send !== undefined) {
    client.socket.send(reaction.send)
  }
  for (let left = ready ? (reaction.confirmed ?? 0) : 0; left > 0; left -= 1) {
    client.confirmed?.()
  }
  if (reaction.ready === true && !ready) {
    resolve()
  }
  return ready || reaction.ready === true
}

async function closedBetween({ from, to, withinMs }: Call<'closed'>): Promise<Closings> {
  const ends = () => clients.slice(from, to).flatMap(({ ended }) => ended ?? [])
  await until(() => ends().length >= to - from, withinMs, describeEnds)
  const codes: Record<string, number> = {}
  for (const { code } of ends()) {
    codes[code] = (codes[code] ?? 0) + 1
  }
  return { at: ends().map(({ at }) => at), codes }
}

function first(): Client {
  const [client] = clients
  if (client === undefined) {
    throw new Error('no socket to publish with')
  }
  return client
}

function send({ socket, session }: Client, channel: string, bytes: number): void {
  published += 1
  socket.send(session.publish(channel, payload(published, bytes), published))
}

async function publish({ channel, count, burst, bytes }: Call<'publish'>) {
  const publisher = first()
  const before = deliveries
  for (let sent = 0; sent < count; ) {
    const end = Math.min(sent + burst, count)
    // In one write, so that the server receives a burst at once.
    publisher.stream?.cork()
    for (; sent < end; sent += 1) {
      send(publisher, channel, bytes)
    }
    publisher.stream?.uncork()
    await delivered(before + sent * clients.length)
  }
}

function publishInto({ channels, bytes }: Call<'publishInto'>) {
  for (const channel of channels) {
    send(first(), channel, bytes)
  }
}

async function publishConfirmed({ channels, bytes }: Call<'publishConfirmed'>) {
  await Promise.all(
    clients.map(async (client, index) => {
      for (let at = index; at < channels.length; at += clients.length) {
        const confirmed = new Promise<void>((resolve) => {
          client.confirmed = resolve
        })
        send(client, channels[at] ?? '', bytes)
        await confirmed
      }
    }),
  )
}

function delivered(total: number): Promise<void> {
  return until(
    () => deliveries >= total,
    limitMs,
    () => `${deliveries} of ${total} deliveries arrived; ${describeEnds()}`,
  )
}

function describeEnds(): string {
  const ends = clients.flatMap(({ ended }) => ended ?? [])
  const codes = [...new Set(ends.map(({ code }) => code))]
  return `${ends.length} of ${clients.length} sockets closed (${codes.join(', ')})`
}

/** Waits until `done` returns true; it is called at each change. */
function until(done: () => boolean, withinMs: number, describe: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(`waited ${withinMs} ms: ${describe()}`), withinMs)
    const finish = (problem?: string) => {
      clearTimeout(timer)
      changed = () => undefined
      if (problem === undefined) {
        resolve()
      } else {
        reject(new Error(problem))
      }
    }
    changed = () => {
      if (failure !== undefined) {
        finish(failure)
      } else if (done()) {
        finish()
      }
    }
    changed()
  })
}

answer(handle)
