/** The part of a client protocol that the benchmarks need. */
export interface Dialect {
  /** Returns what the socket with this index sends after the upgrade. */
  greeting?: (index: number) => string
  /** Handles a message of the server: returns a reply to send, or that the socket is ready. */
  onText(text: string, index: number): { send?: string; ready?: boolean } | undefined
  /** True when the socket is ready after the upgrade. */
  readyAtOnce: boolean
  publish(payload: string, id: number): string
}

const quiet = { readyAtOnce: true, onText: () => undefined }

/** The channel of every subscriber. */
export const channel = 'bench'

/** Number of channels over which `spread` sockets are distributed. */
const spreadOver = 100

export function spreadChannel(index: number): string {
  return `${channel}-${index % spreadOver}`
}

/** The Centrifuge protocol in JSON. */
function centrifuge(...commands: (string | ((index: number) => string))[]): Dialect {
  return {
    readyAtOnce: false,
    greeting: (index) =>
      commands
        .map((command) => (typeof command === 'string' ? command : command(index)))
        .join('\n'),
    onText: (text) =>
      pong(text) ?? (replyIds(text).includes(commands.length) ? { ready: true } : undefined),
    publish: (payload, id) =>
      `{"id":${id + commands.length},"publish":{"channel":"${channel}","data":${payload}}}`,
  }
}

const connect = '{"id":1,"connect":{}}'
const subscribe = (name: string, id = 2) => `{"id":${id},"subscribe":{"channel":"${name}"}}`

/** `{}` is a ping; the pong is the same. */
function pong(text: string): { send: string } | undefined {
  return text === '{}' ? { send: '{}' } : undefined
}

/** Returns the ids of the replies in a frame, which holds one message per line. */
function replyIds(text: string): number[] {
  return text.split('\n').map((line) => {
    if (line.includes('"error"')) {
      throw new Error(`the server answered ${line}`)
    }
    return Number(/^{"id":(\d+),/.exec(line)?.[1])
  })
}

/** Centrifuge clients; the i-th subscribes to the i-th list of channels and is ready when all are subscribed. */
export function listed(channels: readonly (readonly string[])[]): Dialect {
  const missing = channels.map(({ length }) => length + 1)
  return {
    ...dialects.connected,
    greeting: (index) =>
      [connect, ...(channels[index] ?? []).map((name, at) => subscribe(name, at + 2))].join('\n'),
    onText(text, index) {
      const ping = pong(text)
      if (ping !== undefined) {
        return ping
      }
      const left = (missing[index] ?? 0) - replyIds(text).length
      missing[index] = left
      return left === 0 ? { ready: true } : undefined
    },
  }
}

export const dialects = {
  /** The upgrade only. */
  upgrade: { ...quiet, publish: (payload) => payload },
  /** A connected Centrifuge client without channels. */
  connected: centrifuge(connect),
  /** A Centrifuge client subscribed to `channel`. */
  subscribed: centrifuge(connect, subscribe(channel)),
  /** Centrifuge clients distributed over the channels of `spreadChannel`. */
  spread: centrifuge(connect, (index) => subscribe(spreadChannel(index))),
  /** Engine.IO 4 and Socket.IO 5: open (0), connect (40), ping (2) and pong (3), event (42). */
  socketIo: {
    readyAtOnce: false,
    onText: (text) => {
      if (text.startsWith('0')) {
        return { send: '40' }
      }
      if (text.startsWith('40')) {
        return { ready: true }
      }
      if (text === '2') {
        return { send: '3' }
      }
      return undefined
    },
    publish: (payload) => `42["publish",${payload}]`,
  },
} satisfies Record<string, Dialect>

export type DialectName = keyof typeof dialects
