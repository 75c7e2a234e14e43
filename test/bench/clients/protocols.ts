/** A client's side of one socket: what it sends, and what it makes of what it receives. */
export interface Session {
  /** Sent after the upgrade. */
  greeting?: string
  /** Handles a text that has no publication. */
  onText(text: string): Reaction
  /** Returns the answer to a ping that came in one frame with publications. */
  pong?(frame: Buffer): string | undefined
  /** Returns the text that publishes; the server confirms it with a text that reacts `confirmed`. */
  publish(channel: string, payload: string, id: number): string
}

export interface Reaction {
  send?: string
  /** The socket is connected and subscribed. */
  ready?: true
  /** Number of publications that the server has confirmed. */
  confirmed?: number
  /** The id that the server gave the connection. */
  client?: string
}

export interface SessionOptions {
  /** For the `connect` command. */
  token?: string
  channels: readonly string[]
}

/** The Centrifuge protocol's ping, and its pong. */
const ping = '{}'

/**
 * The Centrifuge protocol in JSON: one message a line. As SDKs do, it
 * subscribes when the connect command is answered.
 */
function centrifuge({ token, channels }: SessionOptions): Session {
  let missing = channels.length
  let connected = false
  const subscribe = channels
    .map((channel, at) => JSON.stringify({ id: at + 2, subscribe: { channel } }))
    .join('\n')
  const onReply = (line: string): Reaction => {
    if (line.includes('"error"')) {
      throw new Error(`the server answered ${line}`)
    }
    if (!connected) {
      connected = true
      const client = /"client":"([^"]+)"/.exec(line)?.[1]
      return {
        ...(client === undefined ? {} : { client }),
        ...(missing === 0 ? { ready: true } : { send: subscribe }),
      }
    }
    if (missing > 0) {
      missing -= 1
      return missing === 0 ? { ready: true } : {}
    }
    return { confirmed: 1 }
  }
  return {
    greeting: JSON.stringify({ id: 1, connect: token === undefined ? {} : { token } }),
    onText: (text) => {
      const all: Reaction = {}
      for (const line of text.split('\n')) {
        const one = line === ping ? { send: ping } : onReply(line)
        Object.assign(all, one, { confirmed: (all.confirmed ?? 0) + (one.confirmed ?? 0) })
      }
      return all
    },
    pong: (frame) =>
      frame.includes(ping) && frame.toString().split('\n').includes(ping) ? ping : undefined,
    publish: (channel, payload, id) =>
      `{"id":${id + channels.length + 2},"publish":{"channel":"${channel}","data":${payload}}}`,
  }
}

/**
 * Engine.IO 4 and Socket.IO 5: open (0), connect (40), ping (2) and pong (3), event (42) and its
 * acknowledgement (43).
 */
function socketIo({ channels }: SessionOptions): Session {
  return {
    onText: (text) => {
      if (text.startsWith('0')) {
        return { send: '40' }
      }
      if (text.startsWith('40')) {
        return channels.length === 0
          ? { ready: true }
          : { send: `420${JSON.stringify(['join', channels])}` }
      }
      if (text === '2') {
        return { send: '3' }
      }
      if (text.startsWith('430')) {
        return { ready: true }
      }
      return text.startsWith('43') ? { confirmed: 1 } : {}
    },
    publish: (channel, payload, id) => `42${id}["publish","${channel}",${payload}]`,
  }
}

/** Texts over plain WebSockets: `hello` is answered, any other text goes to every socket. */
function plain(): Session {
  return {
    greeting: 'hello',
    onText: () => ({ ready: true }),
    publish: (_channel, payload) => payload,
  }
}

export const protocols = { centrifuge, socketIo, plain } satisfies Record<
  string,
  (options: SessionOptions) => Session
>

export type ProtocolName = keyof typeof protocols
