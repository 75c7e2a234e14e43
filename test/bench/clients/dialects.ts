/** How a client speaks to one kind of server, as little of it as a benchmark needs. */
export interface Dialect {
  /** Sent as soon as the upgrade is done, by the index of the socket. */
  greeting?: (index: number) => string
  /** What to do with a message of the server: an answer to send, or that the socket is ready now. */
  onText(text: string, index: number): { send?: string; ready?: boolean } | undefined
  /** Whether the socket is ready with the upgrade alone. */
  readyAtOnce: boolean
  publish(payload: string, id: number): string
}

const quiet = { readyAtOnce: true, onText: () => undefined }

/** The channel that every subscriber is in. */
export const channel = 'bench'

/** So many channels share the sockets of a swarm that are spread. */
const spreadOver = 100

export function spreadChannel(index: number): string {
  return `${channel}-${index % spreadOver}`
}

/** The Centrifuge protocol in JSON: `{}` is a ping, and its answer. */
function centrifuge(...commands: (string | ((index: number) => string))[]): Dialect {
  return {
    readyAtOnce: false,
    greeting: (index) =>
      commands
        .map((command) => (typeof command === 'string' ? command : command(index)))
        .join('\n'),
    onText: (text) =>
      pong(text) ?? (answers(text).includes(commands.length) ? { ready: true } : undefined),
    publish: (payload, id) =>
      `{"id":${id + commands.length},"publish":{"channel":"${channel}","data":${payload}}}`,
  }
}

const connect = '{"id":1,"connect":{}}'
const subscribe = (name: string, id = 2) => `{"id":${id},"subscribe":{"channel":"${name}"}}`

/** `{}` is a ping; its answer is the same. */
function pong(text: string): { send: string } | undefined {
  return text === '{}' ? { send: '{}' } : undefined
}

/** The ids of the commands that a frame answers: it holds one message a line. */
function answers(text: string): number[] {
  return text.split('\n').map((line) => {
    if (line.includes('"error"')) {
      throw new Error(`the server answered ${line}`)
    }
    return Number(/^{"id":(\d+),/.exec(line)?.[1])
  })
}

/** Centrifuge clients, the i-th in all channels of the i-th list; ready when it is in each of them. */
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
      const left = (missing[index] ?? 0) - answers(text).length
      missing[index] = left
      return left === 0 ? { ready: true } : undefined
    },
  }
}

export const dialects = {
  /** The upgrade and nothing more. */
  upgrade: { ...quiet, publish: (payload) => payload },
  /** A Centrifuge client that is connected, in no channel. */
  connected: centrifuge(connect),
  /** A Centrifuge client in the channel. */
  subscribed: centrifuge(connect, subscribe(channel)),
  /** Centrifuge clients spread over the channels of `spreadChannel`. */
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
