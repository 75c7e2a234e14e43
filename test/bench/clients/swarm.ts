import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import { answer } from '../child.js'
import { type Dialect, dialects, listed } from './dialects.js'
import { countPayloads, highestPayload, payload } from './payload.js'
import { type Closings, monotonicMs, type SwarmAnswer, type SwarmCall } from './swarm-calls.js'

/** The first byte of an unmasked close frame (RFC 6455 §5.2). */
const closeFrame = 0x88

/** Time limit for opening a socket, and for delivering a publication to every socket. */
const limitMs = 30_000

let sockets: WebSocket[] = []
let dialect: Dialect = dialects.upgrade
let deliveries = 0
let closings: Closings = { at: [], codes: {} }
/** By index of the socket. */
let ended: { at: number; code: number }[] = []
let highest: number[] = []
let failure: string | undefined
let published = 0
/** Called whenever one of the figures above has changed. */
let changed: () => void = () => undefined

async function handle(call: SwarmCall): Promise<SwarmAnswer> {
  switch (call.do) {
    case 'open':
      await open(call)
      return {}
    case 'publish':
      await publish(call)
      return {}
    case 'publishInto':
      publishInto(call)
      return {}
    case 'received':
      await delivered(call.total)
      return {}
    case 'closings':
      await until(() => closings.at.length >= sockets.length, call.withinMs, describeClosings)
      return { closings }
    case 'closed':
      return { closings: await closedBetween(call) }
    case 'reached':
      await until(
        () => (highest[call.index] ?? 0) >= call.number,
        limitMs,
        () => `socket ${call.index} has not received payload ${call.number}`,
      )
      return {}
    case 'highest':
      return { highest: Math.max(0, ...highest.slice(call.from, call.to).filter(Boolean)) }
    case 'drop':
      for (const socket of sockets) {
        socket.terminate()
      }
      await until(() => closings.at.length >= sockets.length, limitMs, describeClosings)
      return {}
  }
}

type Call<Name extends SwarmCall['do']> = Extract<SwarmCall, { do: Name }>

async function open(call: Call<'open'>) {
  const { url, count, concurrency, tokens, channels } = call
  sockets = []
  deliveries = 0
  closings = { at: [], codes: {} }
  ended = []
  highest = []
  failure = undefined
  dialect = channels === undefined ? dialects[call.dialect] : listed(channels)
  let next = 0
  const opener = async () => {
    while (next < count) {
      const index = next
      next += 1
      await openOne(url, index, tokens?.[index])
    }
  }
  await Promise.all(Array.from({ length: concurrency }, opener))
}

function openOne(url: string, index: number, token: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      skipUTF8Validation: true,
      handshakeTimeout: limitMs,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    })
    sockets.push(socket)
    let stream: Duplex | undefined
    let closeFrameAt: number | undefined
    socket.on('upgrade', (response) => {
      stream = response.socket
    })
    socket.on('open', () => {
      // ws reports a close only when the connection has ended, a round trip later.
      stream?.on('data', (chunk: Buffer) => {
        if (chunk[0] === closeFrame) {
          closeFrameAt = monotonicMs()
        }
      })
      if (dialect.greeting !== undefined) {
        socket.send(dialect.greeting(index))
      }
      if (dialect.readyAtOnce) {
        resolve()
      }
    })
    socket.on('message', (data: Buffer) => {
      const count = countPayloads(data)
      deliveries += count
      if (count > 0) {
        highest[index] = Math.max(highest[index] ?? 0, highestPayload(data))
        changed()
      } else if (!dialect.readyAtOnce) {
        onText(socket, index, data.toString(), resolve, reject)
      }
    })
    socket.on('error', reject)
    socket.on('close', (code, reason) => {
      const at = closeFrameAt ?? monotonicMs()
      closings.at.push(at)
      ended[index] = { at, code }
      closings.codes[code] = (closings.codes[code] ?? 0) + 1
      reject(new Error(`closed with ${code} ${reason.toString()} before it was ready`))
      changed()
    })
  })
}

async function closedBetween({ from, to, withinMs }: Call<'closed'>): Promise<Closings> {
  const found = () => ended.slice(from, to).filter(Boolean)
  await until(() => found().length >= to - from, withinMs, describeClosings)
  const codes: Record<string, number> = {}
  for (const { code } of found()) {
    codes[code] = (codes[code] ?? 0) + 1
  }
  return { at: found().map(({ at }) => at), codes }
}

function onText(
  socket: WebSocket,
  index: number,
  text: string,
  ready: () => void,
  failed: (error: unknown) => void,
): void {
  try {
    const action = dialect.onText(text, index)
    if (action?.send !== undefined) {
      socket.send(action.send)
    }
    if (action?.ready === true) {
      ready()
    }
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
    failed(error)
    changed()
  }
}

async function publish({ count, burst, bytes }: Call<'publish'>) {
  const publisher = sockets[0]
  if (publisher === undefined) {
    throw new Error('no socket to publish with')
  }
  deliveries = 0
  for (let sent = 0; sent < count; ) {
    const end = Math.min(sent + burst, count)
    for (; sent < end; sent += 1) {
      published += 1
      publisher.send(dialect.publish(payload(published, bytes), published))
    }
    await delivered(sent * sockets.length)
  }
}

function publishInto({ channels, bytes }: Call<'publishInto'>) {
  const publisher = sockets[0]
  if (publisher === undefined) {
    throw new Error('no socket to publish with')
  }
  for (const channel of channels) {
    published += 1
    const data = payload(published, bytes)
    publisher.send(`{"id":${published + 1},"publish":{"channel":"${channel}","data":${data}}}`)
  }
}

function delivered(total: number): Promise<void> {
  return until(
    () => deliveries >= total,
    limitMs,
    () => `${deliveries} of ${total} deliveries arrived; ${describeClosings()}`,
  )
}

const describeClosings = () =>
  `${closings.at.length} of ${sockets.length} sockets closed (${JSON.stringify(closings.codes)})`

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
